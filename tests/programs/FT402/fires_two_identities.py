"""Both threads find that a number is missing, and each gives its own: immutable, but not equal.

They meet in a folder, which nobody takes for order between threads.
"""

import itertools
import os
import tempfile
import threading
import time

numbers = itertools.count(1)


class Job:
    identity: int | None = None


def number_when_both_are_here(folder: str) -> int:
    os.mkdir(os.path.join(folder, threading.current_thread().name))
    while len(os.listdir(folder)) < 2:
        time.sleep(0.001)
    return next(numbers)


def identify(job: Job, folder: str) -> None:
    if job.identity is None:  # maybe
        job.identity = number_when_both_are_here(folder)  # race


with tempfile.TemporaryDirectory() as folder:
    job = Job()
    threads = [threading.Thread(target=identify, args=(job, folder)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
