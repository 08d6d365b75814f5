"""Numbers that are tried until one is free: two threads find the same one."""

from ftsan.testing import in_turns

names: dict[int, str] = {}
taken: set[int] = set()


def number(name: str) -> int:
    found = 0
    while found in names:  # maybe: names
        found += 1
    names[found] = name  # race: names
    return found


def take() -> int:
    found = 0
    while found in taken:  # maybe: taken
        found += 1
    taken.add(found)  # race: taken
    return found


in_turns(lambda: number("one"), lambda: number("two"))
in_turns(take, take)
