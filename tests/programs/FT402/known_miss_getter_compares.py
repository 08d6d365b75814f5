"""A method compares a state, and its caller chooses another one: the second thread comes when it is too late to act."""

from ftsan.testing import in_turns


class Job:
    def __init__(self) -> None:
        self._state = "new"
        self.runs: list[int] = []

    def is_new(self) -> bool:
        return self._state == "new"  # race

    def start(self) -> None:
        if self.is_new():
            self._state = "running"  # race
            self.runs.append(1)


job = Job()
in_turns(job.start, job.start)
