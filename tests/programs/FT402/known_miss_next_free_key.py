"""Keys are given out by how many there are: two threads may get the same one, and the entry of one of them is lost.

ALSO: FT407
"""

from ftsan.testing import in_turns

visitors: dict[int, str] = {}


def enter(name: str) -> None:
    visitors[len(visitors)] = name  # race


in_turns(lambda: enter("a"), lambda: enter("b"))
