"""Threads that take turns by a number which each compares in its loop: whoever finds another number does nothing.

ALSO: FT407
"""

import time

from ftsan.testing import run


class Turn:
    number = 0


class Stats:
    updates = 0


turn, stats, other, more = Turn(), Stats(), Turn(), Stats()
ROUNDS = 20


def first() -> None:
    left = ROUNDS
    while left:
        if turn.number == 0:
            stats.updates += 1
            turn.number = 1
            left -= 1


def second() -> None:
    left = ROUNDS
    while left:
        if turn.number == 1:
            stats.updates += 1
            turn.number = 2
            left -= 1


def third() -> None:
    left = ROUNDS
    while left:
        if turn.number == 2:
            stats.updates += 1
            turn.number = 0
            left -= 1


def skips() -> None:
    left = ROUNDS
    while left:
        if other.number != 0:
            time.sleep(0)
            continue
        more.updates += 1
        other.number = 1
        left -= 1


def waits() -> None:
    for _ in range(ROUNDS):
        while other.number != 1:
            time.sleep(0)
        more.updates += 1
        other.number = 0


run(first, second, third)
assert stats.updates == 3 * ROUNDS
run(skips, waits)
assert more.updates == 2 * ROUNDS
