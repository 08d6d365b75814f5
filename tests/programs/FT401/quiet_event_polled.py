"""Event.is_set, which takes no lock, and Event.wait(0) that say yes: what was done before set is seen."""

import threading
import time
from types import SimpleNamespace

first, second = threading.Event(), threading.Event()
shared = SimpleNamespace(n=0)


def starts() -> None:
    shared.n += 1
    first.set()
    while not second.wait(0):
        time.sleep(0.001)
    shared.n += 1


def polls() -> None:
    while not first.is_set():
        time.sleep(0.001)
    shared.n += 1
    second.set()


threads = [threading.Thread(target=target) for target in (starts, polls)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 3
