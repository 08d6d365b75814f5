"""A thread reaps any child by `os.waitid`, and one of them is another thread's, which waits for it."""

import contextlib
import os
import threading

from ftsan.testing import wait_until_blocked

until_waited_for, are_waiting = os.pipe()
child = os.fork()
if child == 0:
    os.close(are_waiting)
    os.read(until_waited_for, 1)
    os._exit(3)


def reap() -> None:
    os.waitid(os.P_ALL, 0, os.WEXITED)  # offending: wait


def wait() -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)  # owner


threads = [threading.Thread(target=reap), threading.Thread(target=wait)]
for thread in threads:
    thread.start()
    wait_until_blocked(thread)
os.close(are_waiting)
for thread in threads:
    thread.join()
