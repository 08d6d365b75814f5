"""A method compares a state, and its caller sets it to what was compared, or looks again under a lock, or whatever it was.

ALSO: FT407
"""

import enum
import threading

from ftsan.testing import in_turns, run


class State(enum.Enum):
    NEW = 1
    DONE = 2


class Job:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._state = "new"
        self._table = "missing"
        self._end = "open"
        self.stage = State.NEW
        self.runs: list[int] = []

    def is_new(self) -> bool:
        return self._state == "new"

    def is_loaded(self) -> bool:
        return self._table == "loaded"

    def is_open(self) -> bool:
        return self._end == "open"

    def is_done(self) -> bool:
        return self.stage is State.DONE

    def finish_once(self) -> None:
        if not self.is_done():
            self.stage = State.DONE

    def start(self) -> None:
        if self.is_new():
            with self.lock:
                if self.is_new():
                    self._state = "running"
                    self.runs.append(1)

    def load(self) -> None:
        if not self.is_loaded():
            self._table = "loaded"

    def finish(self) -> None:
        self._end = "closed"

    def report(self) -> int:
        return 1 if self.is_open() else 0

    def work(self) -> None:
        self.start()
        self.load()
        self.finish_once()
        self.report()
        self.finish()


for launch in (in_turns, run):
    job = Job()
    launch(job.work, job.work)
