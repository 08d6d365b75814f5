"""A `with` statement that is entered in one thread and left in another: the lock goes with it."""

import contextlib
import threading
from collections.abc import Iterator

lock = threading.Lock()


@contextlib.contextmanager
def dependency() -> Iterator[None]:
    with lock:  # offending: __exit__
        yield


manager = dependency()
manager.__enter__()
thread = threading.Thread(target=manager.__exit__, args=(None, None, None))
thread.start()
thread.join()
assert not lock.locked()
