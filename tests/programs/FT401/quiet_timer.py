"""A Timer runs after what was done before it was started, and join waits for it."""

import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def bump() -> None:
    shared.n += 1


def parent() -> None:
    for _ in range(3):
        bump()
        timer = threading.Timer(0.001, bump)
        timer.start()
        timer.join()
        bump()


thread = threading.Thread(target=parent)
thread.start()
thread.join()
assert shared.n == 9
