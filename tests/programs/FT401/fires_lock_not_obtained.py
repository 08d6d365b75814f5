"""A lock, a semaphore and an event that were tried but not obtained order nothing."""

import threading
from types import SimpleNamespace

lock, semaphore, event = threading.Lock(), threading.Semaphore(0), threading.Event()
shared = SimpleNamespace(tried=0, timed_out=0, unset=0)


def tried() -> None:
    if not lock.acquire(blocking=False):
        shared.tried += 1  # race: tried


def timed_out() -> None:
    if not semaphore.acquire(timeout=0.001):
        shared.timed_out += 1  # race: timed out


def unset() -> None:
    if not event.is_set():
        shared.unset += 1  # race: unset


def worker() -> None:
    tried()
    timed_out()
    unset()


with lock:
    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
