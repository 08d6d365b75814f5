"""Semaphores belong to nobody: the thread that is done releases."""

import threading

permits = threading.Semaphore(0)
limited = threading.BoundedSemaphore(1)


def worker() -> None:
    permits.release()
    limited.release()


limited.acquire()
thread = threading.Thread(target=worker)
thread.start()
permits.acquire()
with limited:
    pass
thread.join()
