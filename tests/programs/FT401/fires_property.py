"""A counter behind a property: the getter reads, the setter writes."""

import threading


class Gauge:
    def __init__(self) -> None:
        self._level = 0

    @property
    def level(self) -> int:
        return self._level  # maybe

    @level.setter
    def level(self, value: int) -> None:
        self._level = value  # race


gauge = Gauge()


def worker() -> None:
    gauge.level += 1  # maybe


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
