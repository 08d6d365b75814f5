"""Two threads take turns by a plain flag that each tests in its loop: whoever finds that it is not its turn does nothing.

ALSO: FT407
"""

import time

from ftsan.testing import run


class Turn:
    first = True


class Stats:
    updates = 0


turn, stats = Turn(), Stats()
is_mine = True
ROUNDS = 20


def one() -> None:
    left = ROUNDS
    while left:
        if turn.first:
            stats.updates += 1
            turn.first = False
            left -= 1


def other() -> None:
    left = ROUNDS
    while left:
        if not turn.first:
            stats.updates += 1
            turn.first = True
            left -= 1


def patient() -> None:
    global is_mine
    left = ROUNDS
    while left:
        if not is_mine:
            time.sleep(0)
            continue
        stats.updates += 1
        is_mine = False
        left -= 1


def as_patient() -> None:
    global is_mine
    left = ROUNDS
    while left:
        if is_mine:
            time.sleep(0)
        else:
            stats.updates += 1
            is_mine = True
            left -= 1


run(one, other)
assert stats.updates == 2 * ROUNDS
run(patient, as_patient)
assert stats.updates == 4 * ROUNDS
