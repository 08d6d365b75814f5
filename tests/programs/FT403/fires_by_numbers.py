"""Lists and a deque are gone through by the numbers of their elements, as many as there were, while others take some away."""

from collections import deque

from ftsan.testing import in_turns


class Board:
    def __init__(self) -> None:
        self.rows = [1, 2, 3]
        self.names = ["a", "b"]
        self.jobs = deque([1, 2, 3])
        self.cells = [4, 5]

    def add(self) -> int:
        total = 0
        for number in range(len(self.rows)):  # race: rows
            total += self.rows[number]
        return total

    def clean(self) -> None:
        for number in range(0, len(self.names)):  # race: names
            self.names[number] = self.names[number].strip()

    def list_jobs(self) -> list[int]:
        return [self.jobs[number] for number in range(len(self.jobs))]  # race: jobs

    def look_back(self) -> int:
        last = 0
        for number in range(len(self.cells) - 1, -1, -1):  # race: cells
            last = self.cells[number]
        return last

    def read(self) -> None:
        self.add()
        self.clean()
        self.list_jobs()
        self.look_back()

    def remove(self) -> None:
        del self.rows[0]  # race: rows
        self.names.pop()  # race: names
        self.jobs.popleft()  # race: jobs
        self.cells.clear()  # race: cells


board = Board()
in_turns(board.read, board.remove)
