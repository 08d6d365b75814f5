"""A place in a sorted list, or beside an element, is looked for, and something is inserted there: another one by then."""

import bisect

from ftsan.testing import in_turns

numbers = [1, 5, 9]
handlers = ["first", "last"]
sizes = [1, 2, 3]


def add(number: int) -> None:
    place = bisect.bisect(numbers, number)  # maybe: numbers
    numbers.insert(place, number)  # race: numbers


def add_handler(name: str) -> None:
    handlers.insert(handlers.index("last"), name)  # race: handlers


def add_size(size: int) -> None:
    at = sizes.index(2)  # maybe: sizes
    if size > 1:
        sizes.insert(at, size)  # race: sizes


in_turns(lambda: add(3), lambda: add(2))
in_turns(lambda: add_handler("one"), lambda: add_handler("two"))
in_turns(lambda: add_size(2), lambda: add_size(3))
