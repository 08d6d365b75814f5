"""A variable that was tested is read once more before it is acted on: the second thread comes when it is too late to act."""

from ftsan.testing import in_turns


class Seats:
    left = 1


seats = Seats()
sold: list[int] = []


def sell() -> None:
    if seats.left > 0:  # race
        seats.left -= 1  # race
        sold.append(1)


in_turns(sell, sell)
