"""A property, a descriptor, `__setattr__`, `__getattr__` and `__getattribute__` decide where a value goes."""

import threading
from _threading_local import local as local_in_python
from collections.abc import Callable
from typing import Any


class OfEachThread:
    store = threading.local()

    @property
    def x(self) -> int:
        return self.store.x  # type: ignore[no-any-return]

    @x.setter
    def x(self, value: int) -> None:
        self.store.x = value

    @x.deleter
    def x(self) -> None:
        del self.store.x


class Guarded:
    def __init__(self) -> None:
        self.lock, self._x = threading.Lock(), 0

    @property
    def x(self) -> int:
        with self.lock:
            return self._x

    @x.setter
    def x(self, value: int) -> None:
        with self.lock:
            self._x = value


class Slot:
    def __set_name__(self, owner: type, name: str) -> None:
        self.store = threading.local()

    def __get__(self, instance: object, owner: type) -> Any:
        return self.store.value

    def __set__(self, instance: object, value: int) -> None:
        self.store.value = value

    def __delete__(self, instance: object) -> None:
        del self.store.value


class Described:
    x = Slot()


class Proxy:
    def __init__(self) -> None:
        object.__setattr__(self, "here", threading.local())

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "here"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "here"), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "here"), name)


class Mine(Proxy):
    def __getattribute__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "here"), name)


class Meta(type):
    store = threading.local()

    @property
    def x(cls) -> int:
        return cls.store.x  # type: ignore[no-any-return]

    @x.setter
    def x(cls, value: int) -> None:
        cls.store.x = value

    @x.deleter
    def x(cls) -> None:
        del cls.store.x


class OfClass(metaclass=Meta):
    pass


class LockedStore:
    def __init__(self) -> None:
        object.__setattr__(self, "lock", threading.Lock())

    def __setattr__(self, name: str, value: Any) -> None:
        with self.lock:  # type: ignore[attr-defined]
            super().__setattr__(name, value)


def count(owner: Any, number: int) -> None:
    owner.x = number
    owner.x += 1
    setattr(owner, "x", getattr(owner, "x") + 1)  # noqa: B009, B010
    assert owner.x == number + 2
    assert hasattr(owner, "x")
    del owner.x
    assert not hasattr(owner, "x")


def store(owner: Any, number: int) -> None:
    owner.x = number
    setattr(owner, "x", number + 1)  # noqa: B010


def run(act: Callable[[Any, int], None], owner: Any) -> None:
    both = threading.Barrier(2)

    def worker(number: int) -> None:
        both.wait()
        for _ in range(5):
            act(owner, number)

    threads = [threading.Thread(target=worker, args=(number,)) for number in (10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


for each in (OfEachThread(), Described(), Proxy(), Mine(), OfClass, local_in_python()):
    run(count, each)
for each in (Guarded(), LockedStore()):
    run(store, each)
