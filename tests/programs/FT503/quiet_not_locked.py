"""Releasing a lock that nobody holds is an error of its own, which the program expects."""

import contextlib
import threading

lock = threading.Lock()


def release() -> None:
    with contextlib.suppress(RuntimeError):
        lock.release()


for _ in range(3):
    with lock:
        pass
    threads = [threading.Thread(target=release) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
