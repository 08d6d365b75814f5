"""Threads that write elements of their own: through views of parts, by slices of one view, from behind, and as other numbers."""

import array

from ftsan.testing import in_turns

data, numbers = bytearray(16), array.array("i", [0] * 8)
view, view_of_numbers = memoryview(data), memoryview(numbers)
parts, behind, wide = [view[:4], view[4:8]], view[::-1], view.cast("I")


def work(number: int) -> None:
    parts[number][0] += 1
    view[8 + number] += 1
    view[10 + 2 * number : 12 + 2 * number] = b"ab"
    view_of_numbers[number] += 1
    view_of_numbers[4 + number : 5 + number] = array.array("i", [number])


def from_behind() -> None:
    behind[1] += 1
    wide[3] += 1


def in_front() -> None:
    view[1] += 1
    view[3] += 1


in_turns(lambda: work(0), lambda: work(1))
in_turns(from_behind, in_front)
