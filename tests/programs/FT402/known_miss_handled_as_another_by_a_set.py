"""``set.pop`` raises KeyError, and the handler is for IndexError: whether it is a set or a list is known only when it runs."""

from ftsan.testing import in_turns

jobs = {1, 2}


def work() -> None:
    while jobs:  # race: jobs
        try:
            jobs.pop()  # race: jobs
        except IndexError:
            return


in_turns(work, work)
