"""A look decides something that is not the same for both: one of several states or numbers, or something that is done beside it."""

import threading

from ftsan.testing import in_turns


class Job:
    def __init__(self) -> None:
        self.state, self.number = "new", 1
        self.is_stopped = False
        self.stopped = threading.Event()
        self.runs: list[int] = []

    def start(self) -> None:
        if self.state != "running":  # race: state
            self.state = "starting"  # race: state

    def count(self) -> None:
        if self.number == 1:  # race: number
            self.number = 2  # race: number

    def stop(self) -> None:
        if not self.is_stopped:  # race: stop
            self.is_stopped = True  # race: stop
            self.stopped.set()
            self.runs.append(1)


job = Job()
for act in (job.start, job.count, job.stop):
    in_turns(act, act)
