"""A table that the first caller fills, in a function of its own: one that asks meanwhile finds it not empty, and not complete.

ALSO: FT407
"""

from ftsan.testing import in_turns

table: dict[str, str] = {}


def fill() -> None:
    for name in ("one", "two", "three"):
        table[name] = name.upper()  # race: table


def ask() -> str | None:
    if not table:  # race: table
        fill()
    return table.get("three")


in_turns(ask, ask)
