"""`next` of a shared itertools.count is atomic: numbers are unique, whoever asks; bound as a method or a default, too."""

import itertools
import threading

identities = itertools.count(1)
draw = identities.__next__
tickets = itertools.count()
taken: list[int] = []


def identity(source: itertools.count[int] = tickets) -> int:
    return next(source)


def worker() -> None:
    for _ in range(100):
        taken.append(next(identities))
        taken.append(draw())
        identity()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(taken) == list(range(1, 401))
assert next(tickets) == 200
