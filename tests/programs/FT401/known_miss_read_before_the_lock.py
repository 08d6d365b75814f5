"""A counter is read before the lock is taken that it is written under: what another thread has written meanwhile is lost.

The writes are ordered, and of the read and the write it is left to the writes to tell.
"""

import threading

from ftsan.testing import in_turns


class Stats:
    count = 0


stats, lock = Stats(), threading.Lock()


def count() -> None:
    before = stats.count  # race
    with lock:
        stats.count = before + 1  # race


in_turns(count, count)
