"""Writers hold a lock, the thread that iterates does not."""

import contextlib
import threading

sessions = {"a": 1}
lock = threading.Lock()


def expire() -> None:
    for name in sessions:  # race
        assert name


def reader() -> None:
    with contextlib.suppress(RuntimeError):
        expire()


def writer() -> None:
    with lock:
        sessions["b"] = 1  # race


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
