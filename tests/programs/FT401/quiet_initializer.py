"""A pool of one thread: its initializer runs after what was done before the first submit, and before the tasks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def bump() -> None:
    shared.n += 1


def parent() -> None:
    bump()
    with ThreadPoolExecutor(1, initializer=bump) as pool:
        pool.submit(bump)
        pool.submit(bump)
    bump()


thread = threading.Thread(target=parent)
thread.start()
thread.join()
assert shared.n == 5
