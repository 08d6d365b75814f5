"""The value is read under the lock of the writers."""

import threading


class Progress:
    def __init__(self) -> None:
        self.done = 0
        self.lock = threading.Lock()


progress = Progress()


def work() -> None:
    for _ in range(100):
        with progress.lock:
            progress.done += 1
        with progress.lock:
            assert progress.done > 0


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
