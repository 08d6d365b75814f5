"""Greenlets of one thread share what they like; two threads have greenlets of their own.

UNSEEN: accesses
"""

import threading
from types import SimpleNamespace

import greenlet


def run() -> None:
    shared = SimpleNamespace(n=0)

    def switching() -> None:
        for _ in range(50):
            shared.n += 1
            main.switch()

    main = greenlet.getcurrent()
    children = [greenlet.greenlet(switching) for _ in range(3)]
    for _ in range(50):
        for child in children:
            child.switch()
            shared.n += 1
    assert shared.n == 300


threads = [threading.Thread(target=run) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
