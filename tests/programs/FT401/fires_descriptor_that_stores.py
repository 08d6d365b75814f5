"""A descriptor that keeps its values in the objects that it is asked about, and a `__getattr__` beside ordinary attributes."""

import threading
from typing import Any


class Field:
    def __get__(self, instance: Any, owner: type) -> int:
        return instance.stored  # type: ignore[no-any-return] # maybe: descriptor

    def __set__(self, instance: Any, value: int) -> None:
        instance.stored = value  # race: descriptor


class Record:
    amount = Field()

    def __init__(self) -> None:
        self.stored = 0


class Lenient:
    def __init__(self) -> None:
        self.there = 0

    def __getattr__(self, name: str) -> int:
        return 0


record, lenient = Record(), Lenient()


def worker() -> None:
    record.amount += 1  # maybe: descriptor
    lenient.there += 1  # race: attribute


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
