"""A missing value is made after a `with suppress(...)` that would have returned it."""

import contextlib
from contextlib import suppress

from ftsan.testing import in_turns


class Pool:
    connection: list[int]

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}

    def connect(self) -> list[int]:
        with suppress(AttributeError):
            return self.connection  # maybe: connection
        self.connection = [1]  # race: connection
        return self.connection  # maybe: connection

    def row(self, name: str) -> list[str]:
        with contextlib.suppress(KeyError):
            return self.rows[name]  # maybe: rows
        row = self.rows[name] = [name]  # race: rows
        return row

    def work(self) -> None:
        self.connect()
        self.row("a")


pool = Pool()
in_turns(pool.work, pool.work)
