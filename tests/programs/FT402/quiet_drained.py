"""A container is copied and emptied under a lock, or after the others are done, or by `pop` alone; caches are only cleared.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns, run


class Buffer:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lines: list[str] = ["first"]
        self.counts = {"a": 1}
        self.jobs = [1, 2, 3]
        self.cache = {1: "a", 2: "b"}
        self.seen = [1]
        self.sent: list[object] = []

    def add(self) -> None:
        with self.lock:
            self.lines.append("one")
            self.counts["b"] = 1

    def drain(self) -> None:
        with self.lock:
            lines = list(self.lines)
            self.lines.clear()
            counts = self.counts.copy()
            self.counts.clear()
        self.sent += [lines, counts]

    def take(self) -> list[int]:
        taken = []
        while True:
            try:
                taken.append(self.jobs.pop())
            except IndexError:
                return taken

    def forget(self) -> None:
        if len(self.cache) > 1:
            self.cache.clear()
        if self.seen:
            self.seen.clear()

    def work(self) -> None:
        self.add()
        self.drain()
        self.take()
        self.forget()


for launch in (in_turns, run):
    buffer = Buffer()
    launch(buffer.work, buffer.work)
    rest = [list(buffer.lines), dict(buffer.counts)]
    buffer.lines.clear()
    buffer.counts.clear()
