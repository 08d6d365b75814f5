"""Threads take turns by a number, but two of them wait for the same one: both may take it."""

from ftsan.testing import in_turns


class Turn:
    number = 1


turn = Turn()


def one() -> None:
    looks = 0
    while looks < 2:
        looks += 1
        if turn.number == 1:  # race
            turn.number = 2  # race


def other() -> None:
    looks = 0
    while looks < 2:
        looks += 1
        if turn.number == 2:
            turn.number = 1


in_turns(one, other, one)
