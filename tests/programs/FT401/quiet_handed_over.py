"""An object that is handed to another thread is changed before, and after the other one is done with it."""

import threading
from collections import deque
from queue import Queue


class Job:
    def __init__(self) -> None:
        self.steps = 0


handed: Queue[Job] = Queue()
done: Queue[Job] = Queue()
spare: deque[Job] = deque()


def worker() -> None:
    while (job := handed.get()).steps:
        job.steps += 1
        done.put(job)


def late(job: Job, go: threading.Event) -> None:
    go.wait()
    job.steps += 1


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(20):
    job = Job()
    job.steps += 1
    handed.put(job)
    job = done.get()
    job.steps += 1
    spare.append(job)
for _ in threads:
    handed.put(Job())
for thread in threads:
    thread.join()
own, event = Job(), threading.Event()
thread = threading.Thread(target=late, args=(own, event))
thread.start()
own.steps += 1
event.set()
thread.join()
own.steps += 1
