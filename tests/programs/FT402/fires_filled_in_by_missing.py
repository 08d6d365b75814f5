"""A dictionary makes what is missing and keeps it: two threads that find it missing make it twice."""

from collections import UserDict
from typing import Any

from ftsan.testing import in_turns


class Connections(dict[str, list[int]]):
    def __missing__(self, name: str) -> list[int]:
        made = self[name] = [len(name)]  # race: connections
        return made


class Pages(UserDict[str, Any]):
    def __missing__(self, name: str) -> list[str]:
        page = [name]
        self[name] = page  # race: pages
        return page


connections = Connections()
pages = Pages()


def work() -> None:
    connections["a"].append(1)  # race: connections
    pages["index"].append("b")  # race: pages


in_turns(work, work)
