"""Something is put into a set if it is not there, and nothing else hangs on that.

ALSO: FT407
"""

from ftsan.testing import in_turns

seen: set[int] = set()


def see() -> None:
    for number in range(3):
        if number not in seen:
            seen.add(number)


in_turns(see, see)
