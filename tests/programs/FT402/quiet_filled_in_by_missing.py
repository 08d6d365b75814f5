"""Dictionaries that make what is missing: under a lock around it or inside, in one step, only texts, or without keeping it.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns, run


class Connections(dict[str, list[int]]):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def __missing__(self, name: str) -> list[int]:
        with self.lock:
            if name not in self:
                self[name] = [len(name)]
            return self[name]


class Pages(dict[str, list[str]]):
    def __missing__(self, name: str) -> list[str]:
        return self.setdefault(name, [name])


class Names(dict[int, str]):
    def __missing__(self, number: int) -> str:
        self[number] = name = str(number)
        return name


class Plain(dict[str, list[int]]):
    def __missing__(self, name: str) -> list[int]:
        made = self[name] = [len(name)]
        return made


class Defaults(dict[str, int]):
    def __missing__(self, name: str) -> int:
        return 0


class Registry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connections, self.pages, self.names, self.plain, self.defaults = Connections(), Pages(), Names(), Plain(), Defaults()
        self.before = Plain()
        self.before["a"].append(1)

    def work(self) -> None:
        assert self.connections["a"]
        assert self.pages["b"]
        assert self.names[3] == "3"
        with self.lock:
            self.plain["c"].append(1)
        assert self.defaults["d"] == 0
        assert self.before["a"]


for launch in (in_turns, run):
    registry = Registry()
    launch(registry.work, registry.work)
