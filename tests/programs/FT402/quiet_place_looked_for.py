"""A place is looked for and used under one lock; and what is inserted where nothing was looked for.

ALSO: FT407
"""

import bisect
import threading

from ftsan.testing import in_turns

numbers = [1, 5, 9]
names = ["first", "last"]
lock = threading.Lock()


def add(number: int) -> None:
    with lock:
        numbers.insert(bisect.bisect_left(numbers, number), number)


def put_first(name: str) -> None:
    names.insert(0, name)
    names.index("last")


in_turns(lambda: add(3), lambda: add(2))
in_turns(lambda: put_first("one"), lambda: put_first("two"))
