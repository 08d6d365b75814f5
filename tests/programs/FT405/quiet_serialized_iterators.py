"""The helpers of threading for iterators that threads share: a lock around each step, and branches that have one lock.

SINCE: 3.15
"""

import threading
from collections.abc import Iterator

numbers = threading.serialize_iterator(number for number in range(200))


@threading.synchronized_iterator
def pairs() -> Iterator[tuple[int, int]]:
    for number in range(200):
        yield number, number


shared = pairs()
branches = threading.concurrent_tee((number for number in range(200)), 2)
seen: list[int] = []


def worker(branch: Iterator[int]) -> None:
    seen.extend(numbers)
    seen.extend(number for _, number in shared)
    assert sum(branch) == sum(range(200))


threads = [threading.Thread(target=worker, args=(branch,)) for branch in branches]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(seen) == sorted([*range(200), *range(200)])
