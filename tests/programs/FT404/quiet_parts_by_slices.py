"""Each thread replaces a slice of its own: by an equal number of elements, so nothing is moved."""

import array

from ftsan.testing import in_turns

numbers, letters, samples = [0] * 40, bytearray(4000), array.array("d", [0.0] * 40)
half = len(letters) // 2


def first() -> None:
    numbers[:20] = [1] * 20
    letters[:half] = bytes(half)
    samples[0::2] = array.array("d", [1.0] * 20)


def second() -> None:
    numbers[20:40] = [x + 1 for x in numbers[20:40]]
    letters[half:] = b"x" * half
    samples[1::2] = array.array("d", [2.0] * 20)


in_turns(first, second)
