"""An object is complete before others can find it: by a plain assignment, in a dict, by append.  Stale reads at most.

ALSO: FT407
"""

import threading
from types import SimpleNamespace


class Route:
    def __init__(self, path: str) -> None:
        self.path = path
        self.parts: dict[str, int] = {}
        for part in path.split("/"):
            self.parts[part] = self.parts.get(part, 0) + 1


registry, routes, rows = SimpleNamespace(route=None), dict[str, Route](), list[Route]()


def producer() -> None:
    for number in range(20):
        registry.route = Route(f"a/{number}")
        routes[str(number)] = Route(f"b/{number}")
        rows.append(Route("c/d"))


def consumer() -> None:
    while len(rows) < 20:
        for route in (registry.route, routes.get("3"), rows[-1] if rows else None):
            assert route is None or sum(1 for part in route.parts if part in route.path) == 2


threads = [threading.Thread(target=target) for target in (producer, consumer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
