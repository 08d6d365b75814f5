"""An object is changed after it was handed to another thread, by the thread that made it, long before the other one comes to it."""

import threading
from collections import deque
from queue import Queue, SimpleQueue

from ftsan.testing import in_turns, wait_until_blocked


class Job:
    def __init__(self) -> None:
        self.steps = 0


handed: Queue[Job] = Queue()
simple: SimpleQueue[tuple[str, Job]] = SimpleQueue()
ready: deque[Job] = deque()
jobs: list[Job] = []


def puts() -> None:
    job = Job()
    handed.put(job)
    job.steps += 1  # race: queue


def gets() -> None:
    handed.get().steps += 1  # race: queue


def puts_a_tuple() -> None:
    job = Job()
    simple.put(("job", job))
    job.steps += 1  # race: simple


def gets_a_tuple() -> None:
    _, job = simple.get()
    job.steps += 1  # race: simple


def appends() -> None:
    job = Job()
    ready.append(job)
    job.steps += 1  # race: deque


def pulls() -> None:
    ready.popleft().steps += 1  # race: deque


def lists() -> None:
    job = Job()
    jobs.append(job)
    job.steps += 1  # race: list


def takes() -> None:
    jobs.pop().steps += 1  # race: list


in_turns(puts, gets)
in_turns(puts_a_tuple, gets_a_tuple)
in_turns(appends, pulls)
in_turns(lists, takes)

given = Job()


def late(job: Job) -> None:
    wait_until_blocked(threading.main_thread())
    job.steps += 1  # race: argument


thread = threading.Thread(target=late, args=(given,))
thread.start()
given.steps += 1  # race: argument
thread.join()


def main() -> None:
    shared = Job()

    def closure() -> None:
        wait_until_blocked(threading.main_thread())
        shared.steps += 1  # race: closure

    thread = threading.Thread(target=closure)
    thread.start()
    shared.steps += 1  # race: closure
    thread.join()


main()
