"""One Lock: by `with`, by acquire and release, with a timeout, without blocking, released in another function."""

import threading
from types import SimpleNamespace

lock = threading.Lock()
shared = SimpleNamespace(n=0)


def release() -> None:
    lock.release()


def worker() -> None:
    for _ in range(50):
        with lock:
            shared.n += 1
        lock.acquire()
        shared.n += 1
        lock.release()
        assert lock.acquire(timeout=60)
        shared.n += 1
        release()
        while not lock.acquire(blocking=False):
            pass
        shared.n += 1
        lock.release()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 400
