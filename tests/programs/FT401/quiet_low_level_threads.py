"""Threads of `_thread`, which tell by a lock that they are over, and a dummy thread object for one of them.

ALSO: FT503
"""

import _thread
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def child(over: _thread.LockType) -> None:
    assert threading.current_thread().daemon
    shared.n += 1
    over.release()


def parent() -> None:
    for _ in range(5):
        over = _thread.allocate_lock()
        over.acquire()
        shared.n += 1
        _thread.start_new_thread(child, (over,))
        over.acquire()
        shared.n += 1


thread = threading.Thread(target=parent)
thread.start()
thread.join()
assert shared.n == 15
