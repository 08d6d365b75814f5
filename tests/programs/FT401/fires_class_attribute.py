"""Counters that are attributes of classes, by name, through the instance's type and in class methods."""

import threading
from typing import ClassVar


class Meter:
    made: ClassVar[int] = 0
    used: ClassVar[int] = 0
    asked: ClassVar[int] = 0

    def __init__(self) -> None:
        Meter.made += 1  # race: made

    def use(self) -> None:
        type(self).used += 1  # race: used

    @classmethod
    def ask(cls) -> None:
        cls.asked += 1  # race: asked


def worker() -> None:
    meter = Meter()
    meter.use()
    meter.ask()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
