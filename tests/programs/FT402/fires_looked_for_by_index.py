"""A list is asked where something is, and it is appended if it is nowhere."""

from ftsan.testing import in_turns

names: list[str] = []


def register() -> int:
    try:
        return names.index("a")  # race
    except ValueError:
        names.append("a")  # race
        return len(names) - 1


in_turns(register, register)
