"""A thread reads what an object has not yet, or a variable that the module has not yet: that raises an exception.

However it came to the object: by its start, a list, a set, the values of a dictionary, the registry of a base class, under a lock.

ALSO: FT407
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar

from ftsan.testing import Meeting, run, wait_until

errors: list[BaseException] = []
routes: int


class Thread(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.start()
        wait_until(lambda: errors)
        self.routes = 1  # race: thread

    def run(self) -> None:
        try:
            assert self.routes  # race: thread
        except AttributeError as error:
            errors.append(error)


class Config:
    routes: int


class Base:
    known: ClassVar[list[Base]] = []
    name: str

    def __init__(self) -> None:
        Base.known.append(self)


class Derived(Base):
    def __init__(self, look: Callable[[], None]) -> None:
        super().__init__()
        look()
        self.name = "derived"  # race: base


def made_by_class(look: Callable[[], None]) -> None:
    Derived(look)


def names() -> None:
    for known in list(Base.known):
        try:
            assert known.name  # race: base
        except AttributeError:
            print("too early")


listed: list[Config] = []


def put_into_list(look: Callable[[], None]) -> None:
    config = Config()
    listed.append(config)
    look()
    config.routes = 1  # race: list


def go_through_list() -> None:
    for config in list(listed):
        assert config.routes  # race: list


kept: set[Config] = set()


def put_into_set(look: Callable[[], None]) -> None:
    config = Config()
    kept.add(config)
    look()
    config.routes = 1  # race: set


def go_through_set() -> None:
    for config in kept.copy():
        assert config.routes  # race: set


named: dict[str, Config] = {}


def put_into_dict(look: Callable[[], None]) -> None:
    config = named.setdefault("a", Config())
    look()
    config.routes = 1  # race: values


def go_through_values() -> None:
    for config in list(named.values()):
        assert config.routes  # race: values


class Holder:
    config: Config | None = None


holder, lock = Holder(), threading.Lock()


def put_under_lock(look: Callable[[], None]) -> None:
    config = Config()
    with lock:
        holder.config = config
    look()
    config.routes = 1  # race: lock


def take_under_lock() -> None:
    with lock:
        config = holder.config
    assert config is not None
    assert config.routes  # race: lock


def set_global(look: Callable[[], None]) -> None:
    global routes
    look()
    routes = 1  # race: global


def read_global() -> None:
    assert routes  # race: global


def in_between(publish: Callable[[Callable[[], None]], None], read: Callable[[], None]) -> None:
    """One thread publishes something and then completes it; in between another one reads it."""
    published, seen = Meeting(), Meeting()

    def look() -> None:
        published.join(0)
        seen.join(0)

    def reader() -> None:
        published.join(1)
        try:
            read()
        except (AttributeError, NameError) as error:
            errors.append(error)
        seen.join(1)

    run(lambda: publish(look), reader)


Thread().join()
for publish, read in (
    (made_by_class, names),
    (put_into_list, go_through_list),
    (put_into_set, go_through_set),
    (put_into_dict, go_through_values),
    (put_under_lock, take_under_lock),
    (set_global, read_global),
):
    in_between(publish, read)
assert len(errors) == 6, errors
