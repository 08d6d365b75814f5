"""Two threads put one list into an order each: by a key, and turned round."""

from collections.abc import Callable

from ftsan.testing import in_turns

by_key, turned, by_variable = [3, 1, -2], [3, 1, 2], [3, 1, -2]


def first() -> None:
    by_key.sort()  # race: key
    turned.sort()  # race: turned
    by_variable.sort()  # race: variable


def second() -> None:
    by_key.sort(key=abs)  # race: key
    turned.reverse()  # race: turned
    sort: Callable[..., None] = by_variable.sort
    sort(key=abs)  # race: variable


in_turns(first, second)
