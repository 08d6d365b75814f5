"""A process that was alone forks, and its child starts a thread late."""

import os
import threading

from ftsan.testing import wait_until


class Stats:
    looped = 0


stats = Stats()


def worker() -> None:
    stats.looped += 1  # race


def work_elsewhere() -> None:
    """Returns when the other thread has ended, which orders nothing."""
    thread = threading.Thread(target=worker)
    thread.start()
    wait_until(lambda: not os.path.exists(f"/proc/self/task/{thread.native_id}"))


def loop() -> None:
    for turn in range(3):
        if turn == 1:
            work_elsewhere()
        stats.looped += 1  # race


child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
else:
    loop()
