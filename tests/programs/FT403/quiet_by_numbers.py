"""Lists are gone through by numbers: under a lock, of a copy, beside what only adds, with a handler, or after a join.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns, run


class Board:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows = [1, 2, 3]
        self.names = ["a", "b"]
        self.events = [1]
        self.jobs = [1, 2]
        self.done = [1]

    def read(self) -> None:
        total = 0
        with self.lock:
            for number in range(len(self.rows)):
                total += self.rows[number]
        names = self.names.copy()
        for number in range(len(names)):
            names[number] = names[number].strip()
        for number in range(len(self.events)):
            total += self.events[number]
        for number in range(len(self.jobs)):
            try:
                total += self.jobs[number]
            except IndexError:
                break

    def change(self) -> None:
        with self.lock:
            del self.rows[0]
        self.names.pop()
        self.events.append(2)
        self.jobs.clear()
        self.done.pop()


for launch in (in_turns, run):
    board = Board()
    launch(board.read, board.change)
    for place in range(len(board.done)):
        print(board.done[place])
