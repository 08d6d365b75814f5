"""An iterator written in Python, whose position is an attribute: advanced by two threads, it loses updates."""

import threading


class Countdown:
    def __init__(self, start: int) -> None:
        self.left = start

    def __iter__(self) -> Countdown:
        return self

    def __next__(self) -> int:
        self.left -= 1  # race
        return 0


shared = Countdown(10)


def worker() -> None:
    for _ in shared:
        break


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
