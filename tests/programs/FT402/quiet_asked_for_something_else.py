"""A function is asked by one that acts on the answer, and by another one that only shows it, straight or by way of a property.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Cache:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: dict[str, list[str]] = {}

    def has(self, key: str) -> bool:
        return key in self.values

    @property
    def is_ready(self) -> bool:
        return self.has("a")

    def fill(self) -> None:
        with self.lock:
            if not self.is_ready:
                self.values["a"] = ["a"]


cache = Cache()
shown: list[bool] = []


def show() -> None:
    shown.append(cache.is_ready)
    shown.append(cache.has("a"))


in_turns(cache.fill, show)
