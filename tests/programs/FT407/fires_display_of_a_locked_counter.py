"""A counter is incremented under a lock and displayed without: the number may be old, nothing else."""

import threading


class Progress:
    done = 0


progress = Progress()
lock = threading.Lock()


def worker() -> None:
    for _ in range(10):
        with lock:
            progress.done += 1  # race


def display() -> None:
    assert 0 <= progress.done <= 10  # race


threads = [threading.Thread(target=target) for target in (worker, display)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
