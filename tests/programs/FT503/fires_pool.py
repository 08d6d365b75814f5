"""A job given to a pool under a lock, which the job releases when it is done."""

import concurrent.futures
import contextlib
import threading

lock = threading.Lock()


def job() -> None:
    lock.release_lock()  # offending: release


with concurrent.futures.ThreadPoolExecutor(1) as pool:
    for _ in range(3):
        with contextlib.suppress(RuntimeError), lock:
            pool.submit(job).result()
