"""Loops that wait by a function or property that compares, by what is made of several, by a count under a key, or inside a loop.

ALSO: FT407
"""

import threading
from collections.abc import Callable


class Worker:
    count = 0


class State:
    count = total = rounds = 0
    result: list[int] | None = None

    @property
    def is_done(self) -> bool:
        return self.count >= 1

    @property
    def is_missing(self) -> int:
        return 1 - self.rounds

    def has_result(self) -> bool:
        if self.result is None:
            return False
        return self.total >= 0


KINDS = 13
state = State()
workers = [Worker(), Worker()]
table = {"count": 0}
places: list[int | None] = [None, None, None]
numbers = [0, 0]
finished: set[int] = set()
left: list[list[int]] = [[1] for _ in range(KINDS)]


def work() -> None:
    def sort() -> None:
        left[next(number)].sort()

    number = iter(range(KINDS))
    sort()
    state.count += 1
    sort()
    state.total += 1
    sort()
    table["count"] += 1
    sort()
    state.rounds += 1
    sort()
    state.result = [1]
    sort()
    places[0] = 1
    sort()
    places[1] = 1
    sort()
    places[2] = 1
    sort()
    numbers[0] += 1
    sort()
    finished.add(1)
    sort()
    workers[0].count += 1
    workers[1].count += 1
    sort()
    state.result = [2]
    sort()
    state.total += 1


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        pass


def wait_and_return() -> list[int]:
    while True:
        result = state.result
        if result is not None and result == [2]:
            return left[11]


def wait_and_return_total() -> list[int]:
    while True:
        if state.total == 2:
            return left[12]


threading.Thread(target=work).start()
while not state.is_done:
    pass
left[0].sort(reverse=True)
wait_for(lambda: state.total >= 1)
left[1].sort(reverse=True)
while table["count"] < 1:
    pass
left[2].sort(reverse=True)
while state.is_missing:
    pass
left[3].sort(reverse=True)
while not state.has_result():
    pass
left[4].sort(reverse=True)
while places[0] is None:
    pass
left[5].sort(reverse=True)
while sum(place or 0 for place in places) < 2:
    pass
left[6].sort(reverse=True)
while None in places:
    pass
left[7].sort(reverse=True)
while not any(numbers):
    pass
left[8].sort(reverse=True)
while finished != {1}:
    pass
left[9].sort(reverse=True)
for worker in workers:
    while worker.count < 1:
        pass
left[10].sort(reverse=True)
wait_and_return().sort(reverse=True)
wait_and_return_total().sort(reverse=True)
