"""The only consumer of a list takes from its begin what it has copied, others add at its end; two threads empty another list.

ALSO: FT407
"""

from ftsan.testing import in_turns

lines: list[str] = []
waste = ["old"]


def add() -> None:
    lines.append("one")


def drain() -> list[str]:
    taken = lines[:8]
    del lines[: len(taken)]
    return taken


def forget() -> None:
    del waste[:]


in_turns(add, drain)
in_turns(forget, forget)
