"""A look decides something that may be done twice: another thread that comes between does the same.

ALSO: FT407
"""

import enum
import threading

from ftsan.testing import in_turns


class State(enum.Enum):
    OPEN = 1
    CLOSED = 2


class Connection:
    def __init__(self) -> None:
        self._is_closed = self.is_stopped = self.is_set = False
        self.level, self.state, self.number = "low", State.OPEN, 1
        self.socket: int | None = 1
        self.stopped = threading.Event()
        self.options = {"dirty": False}

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def close_by_property(self) -> None:
        if not self.is_closed:
            self._is_closed = True

    def raise_it(self) -> None:
        if self.level != "high":
            self.level = "high"

    def close(self) -> None:
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED

    def end(self) -> None:
        if self.number != 3:
            self.number = 3

    def set(self) -> None:
        if self.is_set is False:
            self.is_set = True

    def touch(self) -> None:
        if not self.options["dirty"]:
            self.options["dirty"] = True

    def stop(self) -> None:
        if not self.is_stopped:
            self.is_stopped = True
            self.socket = None
            self.stopped.set()

    def scan(self) -> None:
        for number in range(3):
            if number == 1 and not self.is_set:
                self.is_set = True


connection = Connection()
for act in (
    connection.close_by_property,
    connection.raise_it,
    connection.close,
    connection.end,
    connection.set,
    connection.touch,
    connection.stop,
    connection.scan,
):
    in_turns(act, act)
