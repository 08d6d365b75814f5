"""A thread does its part and sends a signal: its handler comes after, in the main thread."""

import os
import signal
import threading
import time
from types import FrameType, SimpleNamespace

shared = SimpleNamespace(n=0)
handled: list[int] = []


def handler(number: int, frame: FrameType | None) -> None:
    shared.n += 1
    handled.append(number)


def worker() -> None:
    shared.n += 1
    os.kill(os.getpid(), signal.SIGUSR1)


signal.signal(signal.SIGUSR1, handler)
thread = threading.Thread(target=worker)
thread.start()
while not handled:
    time.sleep(0.001)
assert shared.n == 2
thread.join()
