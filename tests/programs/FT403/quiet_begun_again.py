"""A thread that goes through a container does so again if it has changed meanwhile, until nobody came between."""

import contextlib

from ftsan.testing import in_turns


class Tasks:
    def __init__(self) -> None:
        self.by_number: dict[int, str] = {}
        self.names: set[str] = set()

    def add(self) -> None:
        for number in range(10):
            self.by_number[number] = f"task {number}"
            self.names.add(f"name {number}")

    def snapshot(self) -> tuple[str, ...]:
        while True:
            try:
                return tuple(self.by_number.values())
            except RuntimeError:
                continue

    def long_ones(self) -> list[str]:
        while True:
            with contextlib.suppress(RuntimeError):
                return [name for name in self.names if len(name) > 5]

    def copied(self) -> dict[int, str]:
        return {number: name for number, name in self.by_number.items() if name}

    def any_copy(self) -> dict[int, str]:
        for _ in range(100):
            try:
                copy = self.copied()
                break
            except RuntimeError:
                pass
        else:
            raise TimeoutError
        return copy

    def look(self) -> None:
        for _ in range(2):
            self.snapshot()
            self.long_ones()
            self.any_copy()


tasks = Tasks()
in_turns(tasks.add, tasks.look, tasks.add, tasks.look)
