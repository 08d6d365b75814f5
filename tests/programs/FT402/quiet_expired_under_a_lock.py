"""Values that have expired are thrown away under the lock under which they are renewed, or where nobody renews them.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Storage:
    def __init__(self) -> None:
        self.expires: dict[str, int] = {"old": 1, "name": 1}
        self.lock = threading.Lock()

    def set(self, key: str) -> None:
        with self.lock:
            self.expires[key] = 20

    def get(self, key: str) -> int:
        with self.lock:
            if self.expires.get(key, 0) <= 10:
                self.expires.pop(key, None)
            return self.expires.get(key, 0)

    def sweep(self) -> None:
        if self.expires.get("old", 20) <= 10:
            self.expires.pop("old", None)


storage = Storage()
in_turns(lambda: storage.get("name"), lambda: storage.set("name"), lambda: storage.get("name"))
in_turns(storage.sweep, storage.sweep)
