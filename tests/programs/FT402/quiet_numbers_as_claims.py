"""A variable is set to the same number by all, or claimed by numbers under a lock, or is a flag.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns, run


class Race:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.winner: int | None = None
        self.limit: int | None = None
        self.closed = self.is_old = 0
        self.level = 1
        self.log: list[str] = []

    def set_limit(self) -> None:
        if self.limit is None:
            self.limit = 10
            self.log.append("limit")

    def close(self) -> None:
        if not self.closed:
            self.closed = 1

    def raise_level(self) -> None:
        if self.level != 2:
            self.level = 2
        if not self.is_old:
            self.is_old = 1

    def first(self) -> None:
        with self.lock:
            if self.winner is None:
                self.winner = 1
                self.log.append("first")
        self.set_limit()
        self.close()
        self.raise_level()

    def second(self) -> None:
        with self.lock:
            if self.winner is None:
                self.winner = 2
                self.log.append("second")
        self.set_limit()
        self.close()
        self.raise_level()


for launch in (in_turns, run):
    race = Race()
    launch(race.first, race.second)
