"""A watchdog that releases the lock of a worker which takes too long."""

import contextlib
import threading

lock = threading.Lock()
working, rescued = threading.Event(), threading.Event()


def worker() -> None:
    with contextlib.suppress(RuntimeError), lock:
        working.set()
        rescued.wait()


def watchdog() -> None:
    working.wait()
    if lock.locked():
        lock.release()  # offending: release
    rescued.set()


threads = [threading.Thread(target=work) for work in (worker, watchdog)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
