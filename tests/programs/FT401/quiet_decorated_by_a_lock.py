"""A lock held by a decorator, and by a context manager of one's own."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

lock = threading.Lock()
shared = SimpleNamespace(n=0)


def synchronized(function: Callable[[], None]) -> Callable[[], None]:
    def wrapper() -> None:
        with lock:
            function()

    return wrapper


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    with lock:
        yield


bump = synchronized(lambda: setattr(shared, "n", shared.n + 1))


def worker() -> None:
    bump()
    with exclusive():
        shared.n += 1


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 4
