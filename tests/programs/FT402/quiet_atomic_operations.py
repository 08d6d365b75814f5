"""setdefault, pop with a default, and acting first: what threadsafety.rst recommends instead of check-then-act."""

import contextlib
import heapq
import itertools
import threading
from collections import deque

groups: dict[str, list[int]] = {}
table = dict.fromkeys("abc", 0)
stack, queue, tags, heap = list(range(50)), deque(range(50)), set("abc"), list(range(50))
numbers = itertools.count()


def worker() -> None:
    for number in range(50):
        groups.setdefault("a", []).append(number)
        groups.setdefault("b", [])
        table.pop("a", None)
        tags.discard("a")
        next(numbers)
        with contextlib.suppress(KeyError):
            del table["b"]
        with contextlib.suppress(KeyError):
            tags.remove("b")
        with contextlib.suppress(IndexError):
            stack.pop()
            queue.popleft()
        with contextlib.suppress(IndexError):
            heapq.heappop(heap)
        heapq.heappush(heap, number)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(groups["a"]) == next(numbers) == 100
