"""Containers are compared with empty ones, and something is put into them if they are equal."""

from ftsan.testing import in_turns

handlers: dict[str, list[int]] = {}


class Board:
    def __init__(self) -> None:
        self.rows: list[str] = []
        self.jobs = [1]

    def open(self) -> None:
        if self.rows == []:  # maybe: rows
            self.rows.append("first")  # race: rows

    def take(self) -> None:
        if self.jobs != []:  # maybe: jobs
            self.jobs.pop()  # race: jobs


def install() -> None:
    if handlers == {}:  # maybe: handlers
        handlers["a"] = []  # race: handlers


board = Board()


def work() -> None:
    board.open()
    board.take()
    install()


in_turns(work, work)
