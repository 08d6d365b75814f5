"""`while d:` and a key that is got from `d` itself: another thread takes the same one."""

import contextlib

from ftsan.testing import in_turns

jobs = dict.fromkeys(range(20))
tasks = dict.fromkeys(range(20))


class Pending:
    def __init__(self) -> None:
        self.names = {str(number) for number in range(20)}


pending = Pending()


def deletes() -> None:
    while jobs:  # maybe: jobs
        key = next(iter(jobs))
        del jobs[key]  # race: jobs


def pops() -> None:
    if len(tasks) > 0:  # maybe: tasks
        tasks.pop(min(tasks))  # race: tasks


def removes() -> None:
    while pending.names:  # maybe: names
        name = max(pending.names)
        pending.names.remove(name)  # race: names


def worker() -> None:
    for function in (deletes, pops, removes):
        with contextlib.suppress(LookupError, RuntimeError, StopIteration, ValueError):
            function()


in_turns(worker, worker)
