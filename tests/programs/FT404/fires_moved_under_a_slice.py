"""One thread moves, empties or replaces all, the other one replaces a part."""

from ftsan.testing import in_turns

buffer, numbers, levels, places = bytearray(b"0123456789"), list(range(10)), [0] * 4, [0] * 4


def first() -> None:
    del buffer[:2]  # race: buffer
    numbers[0:3] = [1]  # race: numbers
    levels[:] = [1, 1, 1, 1]  # race: levels
    places[1:3] = [2, 2]  # race: places


def second() -> None:
    buffer[4:6] = b"xx"  # race: buffer
    numbers[5:7] = [8, 9]  # race: numbers
    levels[1:3] = [2, 2]  # race: levels
    places.clear()  # race: places


in_turns(first, second)
