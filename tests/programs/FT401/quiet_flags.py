"""A plain variable says that something is done: a thread that has seen it comes after the one that has set it.

ALSO: FT407
"""

import threading
import time
from collections.abc import Callable


class Job:
    def __init__(self) -> None:
        self.is_ready = self.is_taken = False
        self.state = "new"
        self.flags = {"ready": False}
        self.made = 0

    def is_done(self) -> bool:
        return self.is_ready


def by_attribute(job: Job) -> None:
    while not job.is_ready:
        time.sleep(0.001)


def by_break(job: Job) -> None:
    while True:
        if job.is_ready:
            break
        time.sleep(0.001)


def by_method(job: Job) -> None:
    while not job.is_done():
        time.sleep(0.001)


def by_state(job: Job) -> None:
    while job.state != "ready":
        time.sleep(0.001)


def by_item(job: Job) -> None:
    while not job.flags["ready"]:
        time.sleep(0.001)


def maker(job: Job) -> None:
    time.sleep(0.01)
    job.made += 1
    job.is_ready = True
    job.state = "ready"
    job.flags["ready"] = True
    while not job.is_taken:
        time.sleep(0.001)
    job.made += 1


def taker(job: Job, wait: Callable[[Job], None]) -> None:
    wait(job)
    job.made += 1
    job.is_taken = True


for wait in (by_attribute, by_break, by_method, by_state, by_item):
    job = Job()
    threads = [threading.Thread(target=maker, args=(job,)), threading.Thread(target=taker, args=(job, wait))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert job.made == 3
