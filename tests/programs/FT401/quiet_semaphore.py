"""Semaphores of one permit, handed to and fro, and a BoundedSemaphore used as a lock."""

import threading
from types import SimpleNamespace

ping, pong = threading.Semaphore(1), threading.Semaphore(0)
bounded = threading.BoundedSemaphore()
shared = SimpleNamespace(turns=0, locked=0)


def worker(go: threading.Semaphore, then: threading.Semaphore) -> None:
    for _ in range(50):
        go.acquire()
        shared.turns += 1
        then.release()
        with bounded:
            shared.locked += 1


threads = [threading.Thread(target=worker, args=pair) for pair in ((ping, pong), (pong, ping))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert (shared.turns, shared.locked) == (100, 100)
