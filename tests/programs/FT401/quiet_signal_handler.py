"""A signal handler runs in the main thread, between its instructions; a thread that had done its part was joined."""

import signal
import threading
from types import FrameType, SimpleNamespace

shared = SimpleNamespace(n=0, handled=0)


def handler(number: int, frame: FrameType | None) -> None:
    shared.n += 1
    shared.handled += 1


def worker() -> None:
    shared.n += 1


signal.signal(signal.SIGUSR1, handler)
for _ in range(10):
    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
    signal.raise_signal(signal.SIGUSR1)
    shared.n += 1
assert (shared.n, shared.handled) == (30, 10)
