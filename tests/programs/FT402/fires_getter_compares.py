"""A method compares a state, and its caller chooses another one: the second thread comes when it is too late to act."""

import enum

from ftsan.testing import in_turns


class State(enum.Enum):
    NEW = 1
    DONE = 2


class Job:
    def __init__(self) -> None:
        self._state = "new"
        self.phase = "idle"
        self.stage = State.NEW
        self.runs: list[int] = []

    def is_new(self) -> bool:
        return self._state == "new"  # race: state

    @property
    def is_idle(self) -> bool:
        return self.phase == "idle"  # race: phase

    def is_fresh(self) -> bool:
        return self.stage is State.NEW  # race: stage

    def finish(self) -> None:
        if self.is_fresh():
            self.runs.append(3)
            self.stage = State.DONE  # race: stage

    def start(self) -> None:
        if self.is_new():
            self._state = "running"  # race: state
            self.runs.append(1)

    def take(self) -> None:
        if not self.is_idle:
            return
        self.runs.append(2)
        self.phase = "taken"  # race: phase

    def work(self) -> None:
        self.start()
        self.take()
        self.finish()


job = Job()
in_turns(job.work, job.work)
