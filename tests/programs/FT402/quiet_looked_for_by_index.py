"""A list is asked where something is, and it is appended under a lock; what is found is replaced, or counted elsewhere.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns, run


class Names:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.all: list[str] = []
        self.fixed = ["a", "b"]
        self.missing: list[str] = []

    def register(self, name: str) -> int:
        with self.lock:
            try:
                return self.all.index(name)
            except ValueError:
                self.all.append(name)
                return len(self.all) - 1

    def number(self, name: str) -> int:
        try:
            return self.fixed.index(name)
        except ValueError:
            self.missing.append(name)
            return -1

    def work(self) -> None:
        self.register("a")
        self.number("c")


for launch in (in_turns, run):
    names = Names()
    launch(names.work, names.work)
