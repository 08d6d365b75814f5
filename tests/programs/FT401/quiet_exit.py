"""The acts of a thread that nobody joined are seen by what the interpreter runs once it has waited for all threads: atexit."""

import atexit
import threading
import time
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def worker() -> None:
    time.sleep(0.01)
    shared.n += 1


@atexit.register
def at_exit() -> None:
    shared.n += 1
    assert shared.n == 2


threading.Thread(target=worker).start()
