"""Something is done now and then, by the time of the last one: two threads find that it is time."""

import time

from ftsan.testing import in_turns


class Cache:
    last = 0.0

    def __init__(self) -> None:
        self.refreshes: list[float] = []

    def refresh(self) -> None:
        if time.monotonic() - self.last > 0:  # race
            self.last = time.monotonic()  # race
            self.refreshes.append(self.last)  # maybe


cache = Cache()
in_turns(cache.refresh, cache.refresh)
