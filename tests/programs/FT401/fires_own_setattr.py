"""A class whose `__setattr__` checks a value and then stores it in the object, in each of the ways to do so."""

import threading
from typing import Any


class BySuper:
    value = 0

    def __setattr__(self, name: str, value: Any) -> None:
        assert value >= 0
        super().__setattr__(name, value)  # race: super


class ByObject:
    value = 0

    def __setattr__(self, name: str, value: Any) -> None:
        assert value >= 0
        object.__setattr__(self, name, value)  # race: object


class ByDictionary:
    def __init__(self) -> None:
        self.value = 0

    def __setattr__(self, name: str, value: Any) -> None:
        assert value >= 0
        self.__dict__[name] = value  # race: dictionary


by_super, by_object, by_dictionary = BySuper(), ByObject(), ByDictionary()


def worker() -> None:
    by_super.value += 1  # maybe: super
    by_object.value += 1  # maybe: object
    by_dictionary.value += 1  # maybe: dictionary


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
