"""Ten small classes, each with a bug that only threads show; ``corrected/shop.py`` has them without."""

from __future__ import annotations

import threading
from collections.abc import Iterator


class Counter:
    """Lost update."""

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> None:
        self.count += 1


class Cache:
    """Check, then act."""

    def __init__(self) -> None:
        self.entries: dict[str, list[int]] = {}

    def get(self, key: str) -> list[int]:
        if key not in self.entries:
            self.entries[key] = [len(key)]
        return self.entries[key]


class Point:
    """A torn pair: two values that belong together are exchanged one after the other."""

    def __init__(self) -> None:
        self.x, self.y = 1, 2

    def flip(self) -> None:
        x = self.x
        self.x = self.y
        self.y = x


class Account:
    """The wrong lock: each method has one of its own."""

    def __init__(self) -> None:
        self.paying_in, self.paying_out = threading.Lock(), threading.Lock()
        self.balance = 0

    def pay_in(self, amount: int) -> None:
        with self.paying_in:
            self.balance += amount

    def pay_out(self, amount: int) -> None:
        with self.paying_out:
            self.balance -= amount


class Registry:
    """Iteration while others add."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}

    def add(self, name: str) -> None:
        self.names[name] = len(name)

    def longest(self) -> int:
        longest = 0
        for name in self.names:
            longest = max(longest, len(name))
        return longest


class Connection:
    """Made when it is first needed, by each who comes at that moment."""

    def __init__(self) -> None:
        self.handle: object | None = None

    def open(self) -> object:
        if self.handle is None:
            self.handle = object()
        return self.handle


class Pool:
    """Looks whether there is something, and takes it."""

    def __init__(self) -> None:
        self.free = [1, 2, 3]

    def take(self) -> int | None:
        if self.free:
            return self.free.pop()
        return None

    def put(self, item: int) -> None:
        self.free.append(item)


class Tickets:
    """One generator for everybody."""

    def __init__(self) -> None:
        def count() -> Iterator[int]:
            number = 0
            while True:
                number += 1
                yield number

        self.numbers = count()

    def next(self) -> int:
        return next(self.numbers)


class Statistics:
    """A running mean: the lock is let go between reading and writing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.total = self.number = 0

    def add(self, value: int) -> None:
        with self.lock:
            total = self.total
        total += value
        self.total = total

    def mean(self) -> float:
        return self.total


class Ids:
    """A class attribute that is counted up by all objects."""

    last = 0

    def fresh(self) -> int:
        Ids.last += 1
        return Ids.last
