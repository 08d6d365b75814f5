"""Containers are compared with empty ones under a lock, before one is taken, by a loop that waits, or before what may fail.

ALSO: FT407
"""

import threading
import time

from ftsan.testing import in_turns, run


class Board:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows: list[str] = []
        self.jobs = [1]
        self.results: dict[str, list[int]] = {}

    def open(self) -> None:
        if self.rows == []:
            with self.lock:
                if self.rows == []:
                    self.rows.append("first")

    def take(self) -> None:
        if self.jobs != []:
            try:
                self.jobs.pop()
            except IndexError:
                return

    def work(self) -> None:
        self.open()
        self.take()

    def give(self) -> None:
        result = [1]
        result.append(2)
        self.results["a"] = result

    def wait(self) -> None:
        while self.results == {}:
            time.sleep(0.001)
        self.results["a"].append(3)


for launch in (in_turns, run):
    board = Board()
    launch(board.work, board.work)
    launch(board.give, board.wait)
