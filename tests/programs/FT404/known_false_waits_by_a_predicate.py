"""Loops that wait by a function or property that compares a count, by counts of several, or by a count under a key.

ALSO: FT407
"""

import threading
from collections.abc import Callable


class State:
    count = total = 0

    @property
    def is_done(self) -> bool:
        return self.count >= 1


state = State()
table = {"count": 0}
left: list[list[int]] = [[1], [1], [1], [1]]


def work() -> None:
    left[0].sort()
    state.count += 1
    left[1].sort()
    state.total += 1
    left[2].sort()
    table["count"] += 1


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        pass


threading.Thread(target=work).start()
while not state.is_done:
    pass
left[0].sort(reverse=True)
wait_for(lambda: state.total == 1)
left[1].sort(reverse=True)
while table["count"] < 1:
    pass
left[2].sort(reverse=True)
