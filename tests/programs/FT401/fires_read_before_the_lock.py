"""A counter is read before the lock is taken that it is written under: what another thread has written meanwhile is lost.

The writes are ordered; the read of one of them and the write of the other are not.
"""

import threading

from ftsan.testing import in_turns


class Stats:
    count = 0


stats, lock = Stats(), threading.Lock()


def count() -> None:
    before = stats.count  # maybe
    with lock:
        stats.count = before + 1  # race


in_turns(count, count)
