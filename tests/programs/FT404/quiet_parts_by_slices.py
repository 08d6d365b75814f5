"""Each thread replaces a slice of its own, or by the same values: by an equal number of elements, so nothing is moved."""

import array

from ftsan.testing import in_turns

numbers, letters, samples = [0] * 40, bytearray(4000), array.array("d", [0.0] * 40)
half = len(letters) // 2
zeros, flags, squares = bytearray(8), [True] * 8, [0] * 40


def first() -> None:
    numbers[:20] = [1] * 20
    letters[:half] = bytes(half)
    samples[0::2] = array.array("d", [1.0] * 20)
    squares[:20] = [x * x for x in range(20)]
    squares[0:20] = map(abs, range(20))
    reset()


def second() -> None:
    numbers[20:40] = [x + 1 for x in numbers[20:40]]
    letters[half:] = b"x" * half
    samples[1::2] = array.array("d", [2.0] * 20)
    squares[20:40] = (x * x for x in range(20))
    reset()


def reset() -> None:
    zeros[0:4] = bytes(4)
    flags[0:2] = [False, False]


in_turns(first, second)
