"""A cache of answers that takes no more when it is full: one too many does not matter.

ALSO: FT407
"""

from ftsan.testing import in_turns

squares: dict[int, int] = {}


def square(number: int) -> int:
    if number not in squares:
        result = number * number
        if len(squares) < 1:
            squares[number] = result
        return result
    return squares[number]


in_turns(lambda: square(2), lambda: square(3))
