"""An object is known to a registry before it has all its attributes; others read these once it is complete.

ALSO: FT407
"""

from __future__ import annotations

import queue
import threading

from ftsan.testing import in_turns


class Job:
    routes: int
    result: int | None = None


class Server:
    def __init__(self) -> None:
        self.all: list[Job] = []
        self.locked: list[Job] = []
        self.lock = threading.Lock()
        self.current: Job | None = None
        self.jobs: queue.Queue[Job] = queue.Queue()
        self.done = threading.Event()

    def make_current(self) -> None:
        job = Job()
        self.all.append(job)
        job.routes = 1
        self.current = job

    def show_current(self) -> None:
        job = self.current
        if job is not None:
            assert job.routes == 1
        assert len(self.all) == 1

    def show_current_at_once(self) -> None:
        assert self.current is not None
        assert self.current.routes == 1
        assert len(self.all) == 1

    def give(self) -> None:
        job = Job()
        self.all.append(job)
        job.routes = 1
        self.jobs.put(job)

    def take(self) -> None:
        job = self.jobs.get()
        assert job in self.all
        assert job.routes == 1

    def fill_under_lock(self) -> None:
        job = Job()
        with self.lock:
            self.locked.append(job)
            job.routes = 1

    def read_under_lock(self) -> None:
        with self.lock:
            assert [job.routes for job in self.locked] == [1]

    def finish(self) -> None:
        job = Job()
        self.all.append(job)
        job.routes = 1
        job.result = 1
        self.done.set()

    def show_all(self) -> None:
        for job in list(self.all):
            assert job.result in (None, 1)

    def show_finished(self) -> None:
        self.done.wait()
        for job in list(self.all):
            assert job.routes == 1


for make, show in (("make_current", "show_current"), ("make_current", "show_current_at_once"), ("give", "take")):
    server = Server()
    in_turns(getattr(server, make), getattr(server, show))
server = Server()
in_turns(server.fill_under_lock, server.read_under_lock)
server = Server()
in_turns(server.finish, server.show_all, server.show_finished)
