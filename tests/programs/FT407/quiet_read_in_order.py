"""Reads under the lock of the writers, after an event, after join, and of what is not written any more."""

import threading


class Progress:
    done = 0
    level = 1


progress, lock, started = Progress(), threading.Lock(), threading.Event()


def worker() -> None:
    progress.level = 2
    started.set()
    for _ in range(10):
        with lock:
            progress.done += 1


def display() -> None:
    started.wait()
    assert progress.level == 2
    for _ in range(10):
        with lock:
            assert 0 <= progress.done <= 10


threads = [threading.Thread(target=target) for target in (worker, display)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert progress.done == 10
