"""A function raises an exception of its own if there is nothing: its callers handle that, and not what the container raises."""

from ftsan.testing import in_turns

jobs = list(range(4))


class Empty(Exception):
    pass


def take() -> int:
    if not jobs:  # race: jobs
        raise Empty
    return jobs.pop()  # race: jobs


def work() -> None:
    try:
        while True:
            take()
    except Empty:
        pass


in_turns(work, work)
