"""A greenlet that is made in one thread, given a parent in another one and started there, as gevent's thread pool does."""

import threading

import greenlet


def run() -> str:
    return "ran"


def worker(made: greenlet.greenlet) -> None:
    made.parent = greenlet.getcurrent()
    assert made.switch() == "ran"


threads = [threading.Thread(target=worker, args=(greenlet.greenlet(run),)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
