"""New elements are numbered under a lock, by a counter, by the size of another list, or by one thread while others take away.

ALSO: FT407
"""

import itertools
import threading
from collections import deque

from ftsan.testing import in_turns, run


class Book:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.numbers = itertools.count()
        self.users: list[dict[str, object]] = []
        self.events: list[tuple[int, str]] = []
        self.queue: deque[dict[str, int]] = deque()
        self.lengths: list[int] = []

    def add_user(self, name: str) -> None:
        with self.lock:
            self.users.append({"id": len(self.users) + 1, "name": name})

    def add_event(self, name: str) -> None:
        self.events.append((next(self.numbers), name))

    def measure(self) -> None:
        self.lengths.append(len(self.users))

    def work(self) -> None:
        self.add_user("a")
        self.add_event("b")
        self.measure()

    def produce(self) -> None:
        for _ in range(5):
            self.queue.append({"waiting": len(self.queue)})

    def consume(self) -> None:
        for _ in range(5):
            try:
                self.queue.popleft()
            except IndexError:
                break


for launch in (in_turns, run):
    book = Book()
    launch(book.work, book.work)
    launch(book.produce, book.consume)
