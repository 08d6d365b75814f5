"""A counter in a slot, in a base class and in a slotted dataclass."""

import threading
from dataclasses import dataclass


class Base:
    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Derived(Base):
    __slots__ = ()


@dataclass(slots=True)
class Point:
    x: int = 0

    def move(self) -> None:
        self.x += 1  # race: dataclass


derived, point = Derived(), Point()


def worker() -> None:
    derived.count += 1  # race: slot
    point.move()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
