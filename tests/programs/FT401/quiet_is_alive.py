"""A thread is over when is_alive says so, or a join with a timeout after which it does, daemon or not."""

import threading
import time
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def child() -> None:
    shared.n += 1


def parent() -> None:
    for daemon in (False, True):
        polled = threading.Thread(target=child, daemon=daemon)
        polled.start()
        while polled.is_alive():
            time.sleep(0.001)
        shared.n += 1
        joined = threading.Thread(target=child, daemon=daemon)
        joined.start()
        while joined.is_alive():
            joined.join(0.001)
        shared.n += 1


thread = threading.Thread(target=parent)
thread.start()
thread.join()
assert shared.n == 8
