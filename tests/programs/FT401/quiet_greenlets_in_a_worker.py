"""An object that was made and used elsewhere is shared by the greenlets of one thread, which ends before the next one begins."""

import threading
from types import SimpleNamespace

import greenlet

shared = SimpleNamespace(n=0)


def child() -> None:
    while True:
        shared.n += 1
        greenlet.getcurrent().parent.switch()


def run() -> None:
    switching = greenlet.greenlet(child)
    for _ in range(20):
        shared.n += 1
        switching.switch()


for _ in range(3):
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
run()
assert shared.n == 160
