"""A table that is filled when it is first asked for, entry by entry: it is no longer empty when the first one is there."""

from ftsan.testing import in_turns

TABLE: dict[int, str] = {}
NAMES: list[str] = []


def table() -> dict[int, str]:
    if not TABLE:  # race: table
        for number in range(5):
            TABLE[number] = str(number)  # race: table
    return TABLE


def names() -> list[str]:
    if len(NAMES) == 0:  # race: names
        for number in range(5):
            NAMES.append(str(number))  # race: names
    return NAMES


def user() -> None:
    table()
    names()


in_turns(user, user)
