"""Methods that are bound to names: single operations, what is handled, and other functions of these names.

ALSO: FT407
"""

from collections import deque

from ftsan.testing import run

jobs = dict.fromkeys(range(40))
take = jobs.pop
groups: dict[int, list[int]] = {}
group = groups.setdefault
ready = deque(range(40))
pull = ready.popleft


class Reader:
    def __init__(self) -> None:
        self.lines = iter("ab")
        self.get = self.read

    def read(self, size: int) -> int:
        return size


def worker() -> None:
    for number in range(40):
        take(number, None)
        group(number, []).append(number)
    while True:
        try:
            pull()
        except IndexError:
            break
    reader = Reader()
    if reader.get(1):
        reader.lines = iter("c")


run(worker, worker)
