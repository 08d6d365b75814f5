"""A value that has expired is thrown away, but by then it has been renewed: one value was looked at, and another one is taken.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Storage:
    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.expires: dict[str, int] = {}
        self.lock = threading.Lock()

    def set(self, key: str) -> None:
        with self.lock:
            self.values[key] = 1
            self.expires[key] = 20  # race: expires

    def get(self, key: str) -> int:
        if self.expires.get(key, 0) <= 10:  # maybe: expires
            self.values.pop(key, None)
            self.expires.pop(key, None)  # race: expires
        return self.values.get(key, 0)


storage = Storage()
in_turns(lambda: storage.get("name"), lambda: storage.set("name"), lambda: storage.get("name"))
