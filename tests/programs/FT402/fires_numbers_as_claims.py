"""Two functions claim a variable, an item or a place in a list by different numbers, if nobody has claimed it yet."""

from ftsan.testing import in_turns

leader: int | None = None


def lead_first() -> None:
    global leader
    if leader is None:  # maybe: leader
        leader = 1  # race: leader


def lead_second() -> None:
    global leader
    if leader is None:  # maybe: leader
        leader = 2  # maybe: leader


class Race:
    def __init__(self) -> None:
        self.winner: int | None = None
        self.seats: dict[str, int | None] = {"a": None}
        self.log: list[str] = []

    def first(self) -> None:
        if self.winner is None:  # maybe: winner
            self.winner = 1  # race: winner
            self.log.append("first")
        if self.seats["a"] is None:  # maybe: seats
            self.seats["a"] = 7  # race: seats
            self.log.append("first")

    def second(self) -> None:
        if self.winner is None:  # maybe: winner
            self.winner = 2  # maybe: winner
            self.log.append("second")
        if self.seats["a"] is None:  # maybe: seats
            self.seats["a"] = 8  # maybe: seats
            self.log.append("second")


race = Race()
in_turns(race.first, race.second)
in_turns(lead_first, lead_second)
