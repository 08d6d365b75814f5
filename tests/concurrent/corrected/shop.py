"""The ten classes of ``planted/shop.py`` without their bugs."""

from __future__ import annotations

import itertools
import threading


class Counter:
    """Each update under one lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0

    def add(self) -> None:
        with self.lock:
            self.count += 1


class Cache:
    """One operation that looks and sets."""

    def __init__(self) -> None:
        self.entries: dict[str, list[int]] = {}

    def get(self, key: str) -> list[int]:
        return self.entries.setdefault(key, [len(key)])


class Point:
    """The pair is exchanged under a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.x, self.y = 1, 2

    def flip(self) -> None:
        with self.lock:
            x = self.x
            self.x = self.y
            self.y = x


class Account:
    """One lock for the balance."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 0

    def pay_in(self, amount: int) -> None:
        with self.lock:
            self.balance += amount

    def pay_out(self, amount: int) -> None:
        with self.lock:
            self.balance -= amount


class Registry:
    """A copy is iterated over."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.names: dict[str, int] = {}

    def add(self, name: str) -> None:
        with self.lock:
            self.names[name] = len(name)

    def longest(self) -> int:
        with self.lock:
            names = list(self.names)
        longest = 0
        for name in names:
            longest = max(longest, len(name))
        return longest


class Connection:
    """Looked at again under the lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.handle: object | None = None

    def open(self) -> object:
        with self.lock:
            if self.handle is None:
                self.handle = object()
            return self.handle


class Pool:
    """Takes, and hears that there was nothing."""

    def __init__(self) -> None:
        self.free = [1, 2, 3]

    def take(self) -> int | None:
        try:
            return self.free.pop()
        except IndexError:
            return None

    def put(self, item: int) -> None:
        self.free.append(item)


class Tickets:
    """An iterator whose steps are atomic."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def next(self) -> int:
        return next(self.numbers)


class Statistics:
    """The lock is held from reading to writing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.total = self.number = 0

    def add(self, value: int) -> None:
        with self.lock:
            self.total += value

    def mean(self) -> float:
        with self.lock:
            return self.total


class Ids:
    """The counter of the class has a lock."""

    last = 0
    lock = threading.Lock()

    def fresh(self) -> int:
        with Ids.lock:
            Ids.last += 1
            return Ids.last
