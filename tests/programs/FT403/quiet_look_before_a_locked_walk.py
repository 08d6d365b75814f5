"""A look without the lock under which another function goes through the container.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Registry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.routes: dict[int, str] = {}

    def add(self) -> None:
        with self.lock:
            self.routes[1] = "/"

    def show(self) -> None:
        with self.lock:
            for route in self.routes:
                str(route)

    def look(self) -> None:
        if self.routes:
            self.show()


registry = Registry()
in_turns(registry.look, registry.add, registry.look)
