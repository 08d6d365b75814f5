"""A method of a container as the default value of an argument: by position, or by name.

ALSO: FT407
"""

from ftsan.testing import in_turns

names: list[str] = []
seen: list[str] = []


def note(name: str, put=names.append) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if name not in names:  # maybe: position
        put(name)  # race: position


def see(name: str, *, keep=seen.append) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if name not in seen:  # maybe: name
        keep(name)  # race: name


in_turns(lambda: note("a"), lambda: note("a"))
in_turns(lambda: see("a"), lambda: see("a"))
