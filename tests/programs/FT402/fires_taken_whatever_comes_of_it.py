"""Something is taken away after the look, but whoever finds nothing goes on all the same."""

import contextlib
import threading


class Machine:
    def __init__(self) -> None:
        self.state, self.phase = "new", "new"
        self.tokens = [True]


machine = Machine()


def begin() -> None:
    if machine.state == "new":  # maybe: pop
        try:
            machine.tokens.pop()
        except IndexError:
            print("too late")
        machine.state = "begun"  # race: pop


def enter() -> None:
    if machine.phase == "new":  # maybe: del
        with contextlib.suppress(AttributeError):
            del machine.permission  # type: ignore[attr-defined]
        machine.phase = "entered"  # race: del


def worker() -> None:
    begin()
    enter()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
