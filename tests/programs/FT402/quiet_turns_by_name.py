"""Threads that take turns by strings, by constants with names, by members of an enumeration, and by what they are given.

ALSO: FT407
"""

import enum
import time

from ftsan.testing import run

ROUNDS = 20
IDLE, BUSY = "idle", "busy"


class State(enum.Enum):
    FIRST = 1
    SECOND = 2


class Game:
    def __init__(self, turn: object) -> None:
        self.turn = turn
        self.moves = 0

    def ping(self) -> None:
        for _ in range(ROUNDS):
            while self.turn != "ping":
                time.sleep(0)
            self.moves += 1
            self.turn = "pong"

    def pong(self) -> None:
        for _ in range(ROUNDS):
            while self.turn != "pong":
                time.sleep(0)
            self.moves += 1
            self.turn = "ping"

    def play(self, own: str, other: str) -> None:
        for _ in range(ROUNDS):
            while self.turn != own:
                time.sleep(0)
            self.moves += 1
            self.turn = other

    def skip(self) -> None:
        left = ROUNDS
        while left:
            if self.turn == "b":
                self.moves += 1
                self.turn = "a"
                left -= 1

    def skips_too(self) -> None:
        left = ROUNDS
        while left:
            if self.turn != "a":
                time.sleep(0)
                continue
            self.moves += 1
            self.turn = "b"
            left -= 1

    def work(self) -> None:
        for _ in range(ROUNDS):
            while self.turn != IDLE:
                time.sleep(0)
            self.moves += 1
            self.turn = BUSY

    def rest(self) -> None:
        for _ in range(ROUNDS):
            while self.turn != BUSY:
                time.sleep(0)
            self.moves += 1
            self.turn = IDLE


shared = Game(State.FIRST)


def first() -> None:
    for _ in range(ROUNDS):
        while shared.turn is not State.FIRST:
            time.sleep(0)
        shared.moves += 1
        shared.turn = State.SECOND


def second() -> None:
    for _ in range(ROUNDS):
        while shared.turn is not State.SECOND:
            time.sleep(0)
        shared.moves += 1
        shared.turn = State.FIRST


run(first, second)
assert shared.moves == 2 * ROUNDS
game = Game("ping")
run(game.ping, game.pong)
assert game.moves == 2 * ROUNDS
game = Game("x")
run(lambda: game.play("x", "y"), lambda: game.play("y", "x"))
assert game.moves == 2 * ROUNDS
game = Game("a")
run(game.skip, game.skips_too)
assert game.moves == 2 * ROUNDS
game = Game(IDLE)
run(game.work, game.rest)
assert game.moves == 2 * ROUNDS
