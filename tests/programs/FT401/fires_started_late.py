"""A thread that is started late: by then a loop runs, a generator and a coroutine are suspended, and code is made."""

import os
import sys
import threading
import types
from collections.abc import Coroutine, Generator, Iterator
from typing import Any

from ftsan.testing import wait_until


class Stats:
    looped = yielded = awaited = early = late = 0


stats = Stats()


def compiled(name: str) -> types.CodeType:
    """An update, at the line of the call."""
    line = sys._getframe(1).f_lineno
    return compile("\n" * (line - 1) + f"stats.{name} += 1", __file__, "exec")


def worker() -> None:
    stats.looped += 1  # race: looped
    stats.yielded += 1  # race: yielded
    stats.awaited += 1  # race: awaited
    stats.early += 1  # race: early
    stats.late += 1  # race: late


def work_elsewhere() -> None:
    """Returns when the other thread has ended, which orders nothing."""
    thread = threading.Thread(target=worker)
    thread.start()
    wait_until(lambda: not os.path.exists(f"/proc/self/task/{thread.native_id}"))


def steps() -> Iterator[None]:
    while True:
        stats.yielded += 1  # race: yielded
        yield


@types.coroutine
def pause() -> Generator[None]:
    yield


async def waits() -> None:
    while True:
        stats.awaited += 1  # race: awaited
        await pause()


generator = steps()
coroutine: Coroutine[Any, Any, None] = waits()
early = compiled("early")  # race: early
for turn in range(3):
    if turn == 1:
        work_elsewhere()
    stats.looped += 1  # race: looped
    next(generator)
    coroutine.send(None)
    exec(early)
exec(compiled("late"))  # race: late
coroutine.close()
