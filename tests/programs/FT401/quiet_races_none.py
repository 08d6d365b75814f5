"""Nobody looks for races.

OPTIONS: --races none
UNSEEN: accesses
"""

import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def worker() -> None:
    shared.n += 1
    threading.Event().set()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
