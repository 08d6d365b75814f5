"""A lock made of a plain variable: two threads find it free, one after the other or at once, and both take it.

ALSO: FT401 FT407
"""

import time

from ftsan.testing import in_turns


class Lock:
    def __init__(self) -> None:
        self.is_held = False

    def acquire(self) -> None:
        while self.is_held:  # race: attribute
            time.sleep(0)
        self.is_held = True  # race: attribute

    def release(self) -> None:
        self.is_held = False


def make():  # type: ignore[no-untyped-def]  # noqa: ANN201
    is_busy = False

    def work() -> None:
        nonlocal is_busy
        while is_busy:  # race: variable
            pass
        is_busy = True  # race: variable
        is_busy = False

    return work


is_free = True


def take() -> None:
    global is_free
    while not is_free:  # race: global
        time.sleep(0)
    is_free = False  # race: global
    is_free = True


lock, work = Lock(), make()


def locked() -> None:
    lock.acquire()
    lock.release()


in_turns(locked, locked)
in_turns(work, work)
in_turns(take, take)
