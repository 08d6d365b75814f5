"""Of two threads that take turns by a plain flag one looks in its loop whether it is its turn, and the other one waits for it.

ALSO: FT407
"""

import time

from ftsan.testing import run


class Turn:
    first = True


class Stats:
    updates = 0


turn, stats, other, more = Turn(), Stats(), Turn(), Stats()
ROUNDS = 20


def looks() -> None:
    left = ROUNDS
    while left:
        if turn.first:
            stats.updates += 1
            turn.first = False
            left -= 1


def waits() -> None:
    for _ in range(ROUNDS):
        while turn.first:
            time.sleep(0)
        stats.updates += 1
        turn.first = True


def waits_first() -> None:
    for _ in range(ROUNDS):
        while not other.first:
            time.sleep(0)
        more.updates += 1
        other.first = False


def looks_second() -> None:
    left = ROUNDS
    while left:
        if not other.first:
            more.updates += 1
            other.first = True
            left -= 1


run(looks, waits)
assert stats.updates == 2 * ROUNDS
run(waits_first, looks_second)
assert more.updates == 2 * ROUNDS
