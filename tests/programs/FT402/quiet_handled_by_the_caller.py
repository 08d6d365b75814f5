"""A function raises by itself what a container raises, and its caller handles it: it does not matter which of the two raises it.

ALSO: FT407
"""

import contextlib

from ftsan.testing import in_turns

jobs, leases = list(range(4)), {"a": 1}


def take() -> int:
    if jobs:
        return jobs.pop()
    raise IndexError


def release(name: str) -> None:
    if name not in leases:
        raise KeyError(f"no lease {name!r}")
    del leases[name]


def work() -> None:
    try:
        while True:
            take()
    except LookupError:
        pass
    with contextlib.suppress(KeyError):
        release("a")


in_turns(work, work)
