"""The keys of a dictionary are asked under a lock, before one is taken, for the same text each time, or by a loop that waits.

ALSO: FT407
"""

import threading
import time

from ftsan.testing import in_turns, run


class Registry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows: dict[int, object] = {}
        self.names: dict[int, str] = {}
        self.results: dict[str, list[int]] = {}

    def row(self, number: int) -> object:
        if number not in self.rows.keys():  # noqa: SIM118
            with self.lock:
                if number not in self.rows.keys():  # noqa: SIM118
                    self.rows[number] = object()
        return self.rows[number]

    def name(self, number: int) -> str:
        if number not in self.names.keys():  # noqa: SIM118
            self.names[number] = str(number)
        return self.names[number]

    def drop(self, number: int) -> None:
        with self.lock:
            if number in self.rows.keys():  # noqa: SIM118
                del self.rows[number]

    def work(self) -> None:
        self.row(1)
        self.name(1)

    def give(self) -> None:
        result = [1]
        result.append(2)
        self.results["a"] = result

    def take(self) -> None:
        while "a" not in self.results.keys():  # noqa: SIM118
            time.sleep(0.001)
        self.results["a"].append(3)


for launch in (in_turns, run):
    registry = Registry()
    launch(registry.work, registry.work)
    launch(registry.give, registry.take)
    registry.drop(1)
