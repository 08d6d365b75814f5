"""An attribute is `None` until another thread sets it, and whoever reads it knows that.

ALSO: FT407
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from ftsan.testing import Meeting, wait_until

seen: list[object] = []


class Connection:
    rows = (1,)

    def send(self) -> int:
        return 1


class Worker:
    def __init__(self, is_first: bool) -> None:
        self.asked: Any = None
        self.kept: Any = None
        self.handled: Any = None
        self.logged: Any = None
        self.shown: Any = None
        self.waited: Any = None
        self.told: Any = None
        self.ready = threading.Event()
        self.written = Meeting()
        self.is_first = is_first
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        if is_first:
            wait_until(lambda: len(seen) == 2)
        self.told = Connection()
        self.ready.set()
        self.asked = Connection()
        self.kept = Connection()
        self.handled = Connection()
        self.logged = Connection()
        self.shown = Connection()
        self.waited = Connection()
        if not is_first:
            self.written.join(0)
        self.thread.join()

    def work(self) -> None:
        if not self.is_first:
            self.written.join(1)
        self.show()
        self.keep()
        self.handle()
        self.log()
        self.ask()
        seen.append(1)
        self.ready.wait()
        assert self.told.send() == 1
        while self.waited is None:
            time.sleep(0.001)
        assert self.waited.send() == 1

    def ask(self) -> None:
        if self.asked is not None:
            assert self.asked.send() == 1

    def keep(self) -> None:
        kept = self.kept
        if kept is not None:
            assert kept.send() == 1

    def handle(self) -> None:
        try:
            rows = self.handled.rows
        except AttributeError:
            rows = ()
        assert len(rows) < 2

    def log(self) -> None:
        try:
            assert self.logged.send() == 1
        except Exception as error:
            print("not connected", error, file=sys.stderr)

    def show(self) -> None:
        shown = self.shown
        seen.append(shown)


for is_first in (False, True):
    seen.clear()
    Worker(is_first)
