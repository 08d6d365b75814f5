"""Locks that are tried, or waited for only so long, and given back if another thread has them."""

import threading

a, b = threading.Lock(), threading.RLock()


def forwards() -> None:
    with a, b:
        pass


def backwards() -> None:
    for arguments in ((False,), (True, 0.01), (True, 1)):
        with b:
            if a.acquire(*arguments):
                a.release()
    with b:
        if a.acquire(blocking=False):
            a.release()
        if a.acquire(timeout=0.5):
            a.release()


threads = [threading.Thread(target=work) for work in (forwards, backwards, forwards, backwards)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
