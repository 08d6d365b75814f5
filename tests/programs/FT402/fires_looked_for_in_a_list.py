"""A list is looked through before something is added to it: two threads that look for the same both add it.

ALSO: FT407
"""

import threading
from collections import deque


def listener() -> None:
    """The function that is to be called once."""


class Signal:
    def __init__(self) -> None:
        self.listeners: list[object] = []
        self.recent: deque[str] = deque()

    def connect(self) -> None:
        if listener not in self.listeners:  # maybe: list
            self.listeners.append(listener)  # race: list

    def note(self) -> None:
        if "seen" not in self.recent:  # maybe: deque
            self.recent.appendleft("seen")  # race: deque


signal = Signal()


def worker() -> None:
    signal.connect()
    signal.note()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
