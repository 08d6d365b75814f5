"""A lock that a thread acquires and another one releases: a hand-over like a semaphore's.

ALSO: FT503
"""

import threading
from types import SimpleNamespace

mine, theirs = threading.Lock(), threading.Lock()
shared = SimpleNamespace(n=0)


def worker(go: threading.Lock, then: threading.Lock) -> None:
    for _ in range(50):
        go.acquire()
        shared.n += 1
        then.release()


theirs.acquire()
threads = [threading.Thread(target=worker, args=locks) for locks in ((mine, theirs), (theirs, mine))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 100
