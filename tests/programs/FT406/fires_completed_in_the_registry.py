"""An object is put where others find it before it has all its attributes; they come late enough for them, this time.

ALSO: FT407
"""

from __future__ import annotations

import threading
from typing import ClassVar

from ftsan.testing import in_turns


class Config:
    routes: int


class Base:
    known: ClassVar[list[Base]] = []
    name: str

    def __init__(self) -> None:
        Base.known.append(self)


class Derived(Base):
    def __init__(self) -> None:
        super().__init__()
        self.name = "derived"  # race: base


def names() -> None:
    for known in list(Base.known):
        assert known.name  # race: base


listed: list[Config] = []


def put_into_list() -> None:
    config = Config()
    listed.append(config)
    config.routes = 1  # race: list


def go_through_list() -> None:
    assert sum(config.routes for config in list(listed)) == 1  # race: list


class Registry:
    def __init__(self) -> None:
        self.named: dict[str, Config] = {}
        self.kept: set[Config] = set()
        self.lock = threading.Lock()
        self.config: Config | None = None

    def put_into_dict(self) -> None:
        config = self.named.setdefault("a", Config())
        config.routes = 1  # race: values

    def go_through_values(self) -> None:
        for config in self.named.copy().values():
            assert config.routes == 1  # race: values

    def put_into_set(self) -> None:
        config = Config()
        self.kept.add(config)
        config.routes = 1  # race: set

    def go_through_set(self) -> None:
        assert [config.routes for config in self.kept.copy()] == [1]  # race: set

    def put_under_lock(self) -> None:
        config = Config()
        with self.lock:
            self.config = config
        config.routes = 1  # race: lock

    def take_under_lock(self) -> None:
        with self.lock:
            config = self.config
        assert config is not None
        assert config.routes == 1  # race: lock


registry = Registry()
in_turns(Derived, names)
in_turns(put_into_list, go_through_list)
in_turns(registry.put_into_dict, registry.go_through_values)
in_turns(registry.put_into_set, registry.go_through_set)
in_turns(registry.put_under_lock, registry.take_under_lock)
