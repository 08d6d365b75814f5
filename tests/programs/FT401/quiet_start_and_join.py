"""A thread updates, starts another one that does, and goes on after join: neither is the one that made the object."""

import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def child() -> None:
    shared.n += 1


def parent() -> None:
    for timeout in (None, 60, None):
        shared.n += 1
        thread = threading.Thread(target=child)
        thread.start()
        thread.join(timeout)
        shared.n += 1


thread = threading.Thread(target=parent)
thread.start()
thread.join()
shared.n += 1
assert shared.n == 10
