"""Elements of bytearrays and arrays, updated through a `memoryview` that threads share, and beside it."""

import array

from ftsan.testing import in_turns

data, numbers = bytearray(8), array.array("i", [0] * 8)
view, view_of_numbers = memoryview(data), memoryview(numbers)


def worker() -> None:
    view[0] += 1  # race: view
    view[-1] += 1  # race: last
    view_of_numbers[1] += 1  # race: numbers


def beside() -> None:
    data[2] += 1  # race: beside


def through() -> None:
    view[2] += 1  # race: beside


in_turns(worker, worker)
in_turns(beside, through)
