"""A loop takes its work from a count, or fills in what is not there, until all is done: the second thread finds nothing to do."""

from ftsan.testing import in_turns


class Connection:
    pass


class Work:
    left = 2
    place = 0
    connection: Connection | None = None

    def __init__(self) -> None:
        self.seats = {"a": 2}
        self.done: list[int] = []

    def count_down(self) -> None:
        while self.left > 0:  # maybe: left
            self.left -= 1  # race: left
            self.done.append(1)

    def count_up(self) -> None:
        for _ in range(5):
            if self.place >= 3:  # maybe: place
                break
            self.place += 1  # race: place

    def connect(self) -> None:
        while self.connection is None:  # maybe: connection
            self.connection = Connection()  # race: connection

    def take_seats(self, name: str) -> None:
        while self.seats[name] > 0:  # maybe: seats
            self.seats[name] -= 1  # race: seats

    def run(self) -> None:
        self.count_down()
        self.count_up()
        self.connect()
        self.take_seats("a")


work = Work()
in_turns(work.run, work.run)
