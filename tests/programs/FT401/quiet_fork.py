"""A forked child has one thread: all that other threads of its parent did, joined or not, was before."""

import os
import threading
import time
import warnings
from types import SimpleNamespace

warnings.simplefilter("ignore", DeprecationWarning)
shared = SimpleNamespace(n=0)


def worker() -> None:
    shared.n += 1


thread = threading.Thread(target=worker)
thread.start()
while threading.active_count() > 1:  # orders nothing, unlike join
    time.sleep(0.001)
child = os.fork()
if not child:
    shared.n += 1
    in_child = threading.Thread(target=worker)
    in_child.start()
    in_child.join()
    assert shared.n == 3
    raise SystemExit
assert os.waitpid(child, 0)[1] == 0
