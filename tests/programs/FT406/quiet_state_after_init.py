"""An object is whole when it is handed over; later its thread changes the state, and others show it.

ALSO: FT407
"""

from ftsan.testing import in_turns


class Job:
    def __init__(self) -> None:
        self.status = "new"


class Worker:
    current: Job | None = None

    def run(self) -> None:
        self.current = job = Job()
        job.status = "running"
        job.status = "done"


worker = Worker()
shown: list[str] = []


def show() -> None:
    job = worker.current
    if job is not None:
        shown.append(job.status)


in_turns(worker.run, show)
