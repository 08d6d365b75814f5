"""An object gets attributes after the thread was started that works on it, which reads them once they are there.

ALSO: FT407
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ClassVar

from ftsan.testing import Meeting

Routes = dict[str, int]


class Complete(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.routes = {"a": 1}
        self.start()

    def run(self) -> None:
        assert self.routes


class Locked(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        with self.lock:
            self.start()
            self.routes = {"a": 1}

    def run(self) -> None:
        with self.lock:
            assert self.routes


class Told(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.ready = threading.Event()
        self.start()
        self.routes = {"a": 1}
        self.ready.set()

    def run(self) -> None:
        self.ready.wait()
        assert self.routes


class Given(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.jobs: queue.Queue[str] = queue.Queue()
        self.start()
        self.routes = {"a": 1}
        self.jobs.put("a")

    def run(self) -> None:
        job = self.jobs.get()
        assert self.routes[job] == 1


class Polled(threading.Thread):
    is_ready = False

    def __init__(self) -> None:
        super().__init__()
        self.start()
        self.routes = {"a": 1}
        self.is_ready = True

    def run(self) -> None:
        while not self.is_ready:
            time.sleep(0.001)
        assert self.routes


class Flagged(threading.Thread):
    is_ready = False

    def __init__(self) -> None:
        super().__init__()
        self.written = Meeting()
        self.start()
        self.routes = {"a": 1}
        self.is_ready = True
        self.written.join(0)

    def run(self) -> None:
        self.written.join(1)
        if self.is_ready:
            assert self.routes


class Joined:
    def __init__(self) -> None:
        self.first = threading.Thread(target=self.make)
        self.first.start()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def make(self) -> None:
        self.routes = {"a": 1}

    def read(self) -> None:
        self.first.join()
        assert self.routes

    def join(self) -> None:
        self.thread.join()


class Submitted:
    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.gate: Future[None] = Future()
        self.future = pool.submit(self.work)
        self.routes = {"a": 1}
        self.gate.set_result(None)

    def work(self) -> None:
        self.gate.result()
        assert self.routes


class Box:
    routes: Routes


class Adopting(threading.Thread):
    """Others could reach the box before it was complete; this thread gets it when it is."""

    all: ClassVar[list[Box]] = []
    box: Box | None = None

    def __init__(self) -> None:
        super().__init__()
        self.written = Meeting()
        self.start()
        box = Box()
        Adopting.all.append(box)
        box.routes = {"a": 1}
        self.box = box
        self.written.join(0)

    def run(self) -> None:
        self.written.join(1)
        box = self.box
        if box is not None:
            assert box.routes


class Own(threading.Thread):
    """Each thread sets an attribute before it reads it; that another one did so as well is no matter."""

    last: int

    def __init__(self, shared: Own | None) -> None:
        super().__init__()
        self.of = shared or self
        self.start()

    def run(self) -> None:
        self.of.last = 1
        assert self.of.last == 1


for made in (Complete, Locked, Told, Given, Polled, Flagged, Joined, Adopting):
    made().join()
with ThreadPoolExecutor(1) as pool:
    pool.submit(len, "").result()
    Submitted(pool).future.result()
first = Own(None)
for thread in (first, Own(first)):
    thread.join()
