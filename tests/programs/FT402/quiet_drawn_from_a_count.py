"""Loops that change what they look at: under a lock, after another look under it, or by one thread that others wait for or watch.

ALSO: FT407
"""

import threading
import time

from ftsan.testing import in_turns, run


class Work:
    left = 20
    place = 0
    spare = 20
    total = 0
    is_done = False
    ready: object = None
    slug: str | None = None

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken: list[int] = []

    def count_down(self) -> None:
        with self.lock:
            while self.left > 0:
                self.left -= 1

    def take_spares(self) -> None:
        while self.spare > 0:
            with self.lock:
                if self.spare > 0:
                    self.spare -= 1

    def take_places(self) -> None:
        while self.place < 20:
            self.lock.acquire()
            place = self.place
            self.place += 1
            self.lock.release()
            if place < 20:
                self.taken.append(place)

    def name(self) -> None:
        while self.slug is None:
            self.slug = "work".upper()

    def note(self) -> None:
        while not self.is_done:
            self.is_done = True

    def run(self) -> None:
        self.count_down()
        self.take_spares()
        self.take_places()
        self.name()
        self.note()

    def add(self) -> None:
        while self.total < 20:
            self.total += 1
        self.ready = [self.total]

    def wait(self) -> None:
        while self.ready is None:
            time.sleep(0.001)
        assert self.ready

    def watch(self) -> None:
        for _ in range(5):
            assert self.total <= 20


for launch in (in_turns, run):
    work = Work()
    launch(work.run, work.run)
    launch(work.add, work.wait, work.watch)
