"""threading.local of a `_thread` that was imported once more, as eventlet's patcher does: another type, the same thing.

UNSEEN: accesses
"""

import sys
import threading

original = sys.modules.pop("_thread")
import _thread  # noqa: E402

sys.modules["_thread"] = original
local = _thread._local()


def worker() -> None:
    local.n = 0
    for _ in range(10):
        local.n += 1
    if not hasattr(local, "hub"):
        local.hub = []
    assert local.n == 10


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
