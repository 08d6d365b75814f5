"""So many are let in and no more: whether there is room is looked at first."""

from ftsan.testing import in_turns

names: set[str] = set()
sessions: dict[str, list[int]] = {}


def join(name: str) -> bool:
    if len(names) >= 1:  # race: names
        return False
    names.add(name)  # race: names
    return True


def log_in(name: str) -> None:
    if len(sessions) < 1:  # race: sessions
        sessions[name] = []  # race: sessions


in_turns(lambda: join("a"), lambda: join("b"))
in_turns(lambda: log_in("a"), lambda: log_in("b"))
