"""Threads take turns by a plain flag, but two of them wait for the same turn: both may take it."""

from ftsan.testing import in_turns


class Turn:
    first = True


turn = Turn()


def one() -> None:
    looks = 0
    while looks < 2:
        looks += 1
        if turn.first:  # race
            turn.first = False  # race


def other() -> None:
    looks = 0
    while looks < 2:
        looks += 1
        if not turn.first:
            turn.first = True


in_turns(one, other, one)
