"""A built-in that walks over a container is called through a variable, `map`, `functools.partial` and a tuple of functions."""

import functools
from collections.abc import Callable

from ftsan.testing import in_turns

summed, counted, ordered, largest = ({1: 1, 2: 2} for _ in range(4))


def reader() -> None:
    add: Callable[[object], object] = sum  # type: ignore[assignment]
    add(summed.values())  # race: summed
    list(map(set, [counted.items()]))  # race: counted
    functools.partial(sorted, reverse=True)(iter(ordered))  # race: ordered
    for function in (min, max):
        function(largest.values())  # race: largest


def writer() -> None:
    summed[3] = 3  # race: summed
    counted[3] = 3  # race: counted
    ordered[3] = 3  # race: ordered
    largest[3] = 3  # race: largest


in_turns(reader, writer)
