"""The keys of a dictionary are asked whether one is there, and it is filled in, or taken away."""

from collections import OrderedDict

from ftsan.testing import in_turns

cache: dict[str, list[str]] = {}
sessions = OrderedDict(a=1)


class Registry:
    def __init__(self) -> None:
        self.rows: dict[int, object] = {}

    def row(self, number: int) -> object:
        if number in self.rows.keys():  # noqa: SIM118  # maybe: rows
            return self.rows[number]  # maybe: rows
        self.rows[number] = row = object()  # race: rows
        return row


def look_up(name: str) -> list[str]:
    if name not in cache.keys():  # noqa: SIM118  # maybe: cache
        cache[name] = [name]  # race: cache
    return cache[name]  # maybe: cache


def close(name: str) -> None:
    if name in sessions.keys():  # noqa: SIM118  # maybe: sessions
        del sessions[name]  # race: sessions


registry = Registry()


def work() -> None:
    registry.row(1)
    look_up("a")
    close("a")


in_turns(work, work)
