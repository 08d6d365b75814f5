"""A thread is started, or a pool given work, before the object that it works on has all its attributes.

The thread comes late enough for them, this time, which nothing says.

ALSO: FT407
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from ftsan.testing import Meeting

Routes = dict[str, int]
routes: Routes


class Thread(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.written = Meeting()
        self.start()
        self.routes = {"a": 1}  # race: thread
        self.written.join(0)

    def run(self) -> None:
        self.written.join(1)
        assert len(self.routes) == 1  # race: thread


class Target:
    def __init__(self) -> None:
        self.written = Meeting()
        self.thread = threading.Thread(target=self.work)

    def start(self) -> None:
        self.thread.start()
        self.routes = {"a": 1}  # race: target
        self.written.join(0)

    def work(self) -> None:
        self.written.join(1)
        self.use()

    def use(self) -> None:
        assert len(self.routes) == 1  # race: target


class Base:
    def __init__(self) -> None:
        self.written = Meeting()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        self.written.join(1)
        self.use()

    def use(self) -> None:
        raise NotImplementedError


class Derived(Base):
    def __init__(self) -> None:
        super().__init__()
        self.routes = {"a": 1}  # race: derived
        self.written.join(0)

    def use(self) -> None:
        assert len(self.routes) == 1  # race: derived


class Timer:
    def __init__(self) -> None:
        self.written = Meeting()
        self.thread = threading.Timer(0, self.work, ["a"])
        self.thread.start()
        self.routes = {"a": 1}  # race: timer
        self.written.join(0)

    def work(self, name: str) -> None:
        self.written.join(1)
        assert self.routes[name] == 1  # race: timer


class Argument:
    def __init__(self) -> None:
        self.written = Meeting()
        self.thread = threading.Thread(target=work, args=(1, self))
        self.thread.start()
        self.routes = {"a": 1}  # race: argument
        self.written.join(0)


def work(count: int, argument: Argument) -> None:
    argument.written.join(1)
    assert len(argument.routes) == count  # race: argument


class Closure:
    def __init__(self) -> None:
        self.written = Meeting()

        def work() -> None:
            self.written.join(1)
            assert len(self.routes) == 1  # race: closure

        self.thread = threading.Thread(target=work)
        self.thread.start()
        self.routes = {"a": 1}  # race: closure
        self.written.join(0)


class Slots:
    __slots__ = ("routes", "thread", "written")

    def __init__(self) -> None:
        self.written = Meeting()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        self.routes = {"a": 1}  # race: slots
        self.written.join(0)

    def work(self) -> None:
        self.written.join(1)
        assert len(self.routes) == 1  # race: slots


class Owner:
    def __init__(self) -> None:
        self.written = Meeting()
        self.thread = Owned(self)
        self.thread.start()
        self.routes = {"a": 1}  # race: owner
        self.written.join(0)


class Owned(threading.Thread):
    def __init__(self, owner: Owner) -> None:
        super().__init__()
        self.owner = owner

    def run(self) -> None:
        self.owner.written.join(1)
        assert len(self.owner.routes) == 1  # race: owner


class Pool:
    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.written = Meeting()
        self.future = pool.submit(self.work)
        self.routes = {"a": 1}  # race: pool
        self.written.join(0)

    def work(self) -> None:
        self.written.join(1)
        assert len(self.routes) == 1  # race: pool


def start() -> threading.Thread:
    global routes
    thread = threading.Thread(target=read)
    thread.start()
    routes = {"a": 1}  # race: global
    written.join(0)
    return thread


def read() -> None:
    written.join(1)
    assert len(routes) == 1  # race: global


written = Meeting()
start().join()
Thread().join()
target = Target()
target.start()
target.thread.join()
for made in (Derived, Timer, Argument, Closure, Slots, Owner):
    made().thread.join()
with ThreadPoolExecutor(1) as pool:
    pool.submit(len, "").result()
    Pool(pool).future.result()
