"""An RLock refuses to be released by another thread, and the program knows."""

import threading

lock = threading.RLock()
refused = []


def worker() -> None:
    try:
        lock.release()
    except RuntimeError as error:
        refused.append(error)


for _ in range(2):
    with lock, lock:
        thread = threading.Thread(target=worker)
        thread.start()
        thread.join()
assert len(refused) == 2
