"""One RLock, also entered again by the thread that holds it; some updates are made at depth two, some at depth one."""

import threading
from types import SimpleNamespace

lock = threading.RLock()
shared = SimpleNamespace(n=0)


def worker() -> None:
    for _ in range(50):
        with lock:
            with lock:
                shared.n += 1
            shared.n += 1


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 200
