"""Two threads replace slices that have elements in common, or that move those behind them."""

from ftsan.testing import in_turns

numbers, letters, lines = [0] * 40, bytearray(1_000_000), ["first", "second"]


def first() -> None:
    numbers[0:12] = [1] * 12  # race: numbers
    letters[3:600_000] = bytes(599_997)  # race: letters
    lines[0:1] = ["zeroth", "first"]  # race: lines


def second() -> None:
    numbers[-32:-20] = [2] * 12  # race: numbers
    letters[400_001:900_000] = b"x" * 499_999  # race: letters
    lines[1:2] = ["second", "third"]  # race: lines


in_turns(first, second)
