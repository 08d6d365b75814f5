"""Where runs are compared by CPU time: at once, on one CPU.

A virtual machine's CPU may be twice as fast in one second as in the next: of one workload, quartiles of the ratio were a fifth
apart for runs that came one after the other, and a thirtieth for runs that took turns every few milliseconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def in_turn(ways: list[str], number: int) -> list[str]:
    """The ways in the order of this round: whichever starts first has the CPU for itself for a moment."""
    return ways[:: -1 if number % 2 else 1]


@contextmanager
def on_one_cpu() -> Iterator[None]:
    """Processes that are started meanwhile stay on one CPU, the same for all."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(every)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)
