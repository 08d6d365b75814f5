"""A missing value is made after a `with suppress(...)`: under a lock, or the same each time; or it is written in any case.

ALSO: FT407
"""

import threading
from contextlib import suppress

from ftsan.testing import in_turns, run


class Pool:
    connection: list[int]
    slug: str

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows: dict[str, list[str]] = {}
        self.seen: dict[str, bool] = {}
        self.last: list[bool] = []

    def connect(self) -> list[int]:
        with suppress(AttributeError):
            return self.connection
        with self.lock:
            with suppress(AttributeError):
                return self.connection
            self.connection = [1]
            return self.connection

    def row(self, name: str) -> list[str]:
        with self.lock:
            with suppress(KeyError):
                return self.rows[name]
            row = self.rows[name] = [name]
            return row

    def name(self) -> str:
        with suppress(AttributeError):
            return self.slug
        self.slug = "a".upper()
        return self.slug

    def note(self, name: str) -> None:
        with suppress(KeyError):
            self.last.append(self.seen[name])
        self.seen[name] = True

    def work(self) -> None:
        self.connect()
        self.row("a")
        self.name()
        self.note("a")


for launch in (in_turns, run):
    pool = Pool()
    launch(pool.work, pool.work)
