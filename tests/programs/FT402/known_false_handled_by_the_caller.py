"""The caller handles that there is nothing left: the function that takes is not the one that knows.

A handler counts in the function of the call only: elsewhere it is more often one that hides what went wrong.
"""

from ftsan.testing import in_turns

jobs = list(range(4))


def take() -> int:
    if jobs:
        return jobs.pop()
    raise IndexError


def work() -> None:
    try:
        while True:
            take()
    except IndexError:
        pass


in_turns(work, work)
