"""A generator that is suspended in its `with` statement, and a thread that gives the lock back for it."""

import contextlib
import threading
from collections.abc import Iterator

lock = threading.Lock()


def rows() -> Iterator[int]:
    with lock:
        yield 1


def give_up() -> None:
    lock.release()  # offending: release


cursor = rows()
next(cursor)
thread = threading.Thread(target=give_up)
thread.start()
thread.join()
with contextlib.suppress(RuntimeError):
    cursor.close()  # type: ignore[attr-defined]
