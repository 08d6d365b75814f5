"""A number is given to a name that has none: two threads give it two."""

import itertools

from ftsan.testing import in_turns

numbers = itertools.count()
known: dict[str, int] = {}


def number(name: str) -> int:
    if name not in known:  # race
        known[name] = next(numbers)  # race
    return known[name]


in_turns(lambda: number("a"), lambda: number("a"))
