"""Looks that no loop waits by order nothing: an exception that is passed over, a set that somebody may still put something into.

ALSO: FT407
"""

from ftsan.testing import in_turns

table: dict[str, int] = {}
pending = {0}
first, second = [0], [0]


def fill() -> None:
    first[0] = 1  # race: first
    table["result"] = 1


def look() -> None:
    for _ in range(2):
        try:
            table["result"]
        except KeyError:
            continue
        first[0] = 2  # race: first


def finish() -> None:
    second[0] = 1  # race: second
    pending.discard(0)


def go_on() -> None:
    while pending:
        pending.pop()
    second[0] = 2  # race: second


in_turns(fill, look)
in_turns(finish, go_on)
