"""All objects of a class have one dictionary for their attributes, which a lock guards; others get dictionaries of their own."""

import threading
from typing import Any, ClassVar

from ftsan.testing import in_turns, run


class Settings:
    shared: ClassVar[dict[str, Any]] = {"hits": 0}
    lock = threading.Lock()
    hits: int

    def __init__(self) -> None:
        self.__dict__ = self.shared
        with self.lock:
            if not hasattr(self, "rows"):
                self.rows: list[int] = []
            self.rows.append(1)

    def hit(self) -> None:
        with self.lock:
            self.hits += 1


class Point:
    def __init__(self) -> None:
        self.x, self.y = 1, 2

    def __setstate__(self, state: dict[str, int]) -> None:
        self.__dict__ = state
        self.x += 1

    def moved(self) -> Point:
        other = Point.__new__(Point)
        other.__dict__ = dict(self.__dict__)
        other.x += 1
        return other


origin = Point()


def work() -> None:
    Settings().hit()
    other = Point.__new__(Point)
    other.__setstate__({"x": 1, "y": 2})
    for point in (other, origin.moved()):
        point.x += 1
        if point.y == 2:
            point.y = point.x + 1


for launch in (in_turns, run):
    launch(work, work)
