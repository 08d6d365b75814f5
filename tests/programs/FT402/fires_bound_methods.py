"""Methods of containers that are bound to names: in a module, in an object, in a local variable."""

import contextlib
from collections import deque

from ftsan.testing import in_turns

cache: dict[str, object] = {}
get = cache.get
jobs = dict.fromkeys(range(20))
take = jobs.pop


class Queue:
    def __init__(self) -> None:
        self.items = deque(range(20))
        self.pull = self.items.popleft

    def drain(self) -> None:
        while self.items:  # maybe: items
            self.pull()  # race: items


queue = Queue()


def looks() -> None:
    if get("key") is None:  # maybe: cache
        cache["key"] = object()  # race: cache


def takes() -> None:
    for number in range(20):
        if number in jobs:  # maybe: jobs
            take(number)  # race: jobs


names: dict[str, object] = {}


def local() -> None:
    find = names.get
    if find("name") is None:  # maybe: names
        names["name"] = object()  # race: names


def worker() -> None:
    for function in (looks, takes, queue.drain, local):
        with contextlib.suppress(LookupError):
            function()


in_turns(worker, worker)
