"""One of two values decides, and is looked at again under a lock, or what is stored is the same each time; a `match` under a lock.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns, run


class Pool:
    connection: object = None
    slug: str | None = None
    name = "Pool"

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.found: dict[str, list[str]] = {}

    def connect(self) -> None:
        connection, name = self.connection, self.name
        if connection is None:
            with self.lock:
                if self.connection is None:
                    self.connection = [name]

    def path(self) -> str:
        slug, name = self.slug, self.name
        if slug is None:
            slug = self.slug = name.lower()
        return slug

    def look_up(self, name: str) -> list[str]:
        with self.lock:
            match self.found.get(name):
                case None:
                    found = self.found[name] = [name]
                case []:
                    found = [name]
                case found:
                    pass
            return found

    def work(self) -> None:
        self.connect()
        self.path()
        self.look_up("a")


for launch in (in_turns, run):
    pool = Pool()
    launch(pool.work, pool.work)
