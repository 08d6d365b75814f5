"""A lock that is no lock: one thread waits in `acquire` until another one calls `release`."""

import threading

ready = threading.Lock()
ready.acquire()


def worker() -> None:
    ready.release()  # offending: release


thread = threading.Thread(target=worker)
thread.start()
ready.acquire()
thread.join()
