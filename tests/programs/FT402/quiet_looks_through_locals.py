"""Looks through a local variable, for a class and for a text, under a lock or by one thread alone.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Pool:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connection: object = None
        self.owner: str | None = None
        self.is_enabled = True
        self.closed = False
        self.seen = 0

    def connect(self) -> object:
        connection = self.connection
        if self.is_enabled and connection is None:
            with self.lock:
                if self.connection is None:
                    self.connection = object()
        return connection

    def fill(self) -> None:
        with self.lock:
            if not isinstance(self.owner, str):
                self.owner = "somebody"

    def close(self) -> None:
        closed = self.closed
        if not closed:
            self.closed = True

    def work(self) -> None:
        self.connect()
        self.fill()
        self.close()


pool = Pool()


def count() -> None:
    seen = pool.seen
    if seen >= 0:
        pool.seen = seen + 1
    pool.work()


in_turns(count, pool.work, pool.work)
