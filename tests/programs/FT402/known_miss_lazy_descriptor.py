"""A descriptor fills in a value on demand, under a name that it has in a variable, by way of ``__dict__``.

Found if both threads come while it is being made: later on the instance has the value itself, and nobody asks the
descriptor, which may as well have held a lock.
"""

from collections.abc import Callable
from typing import Any

from ftsan.testing import in_turns


class Lazy:
    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make, self.name = make, make.__name__

    def __get__(self, owner: Any, kind: type) -> Any:
        if self.name not in owner.__dict__:  # race: connection
            owner.__dict__[self.name] = self.make(owner)  # race: connection
        return owner.__dict__[self.name]


class Client:
    @Lazy
    def connection(self) -> list[int]:
        return []


client = Client()


def use() -> None:
    client.connection.append(1)


in_turns(use, use)
