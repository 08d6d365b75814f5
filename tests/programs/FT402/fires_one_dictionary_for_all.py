"""All objects of a class have one dictionary for their attributes: each thread fills it in with an object of its own."""

from typing import Any, ClassVar

from ftsan.testing import in_turns


class Settings:
    shared: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.__dict__ = self.shared
        if not hasattr(self, "rows"):  # maybe: rows
            self.rows: list[int] = []  # race: rows
        self.rows.append(1)

    def connect(self) -> None:
        if "connection" not in self.__dict__:  # maybe: connection
            self.connection = object()  # race: connection


def work() -> None:
    Settings().connect()


in_turns(work, work)
