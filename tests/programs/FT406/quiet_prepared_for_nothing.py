"""Others may come before an object has all its attributes, and are prepared for that.

ALSO: FT407
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from ftsan.testing import Meeting, wait_until

seen: list[object] = []


class Server:
    default: int | None = None
    asked: int
    caught: int
    suppressed: int
    handled: int

    def __init__(self, is_first: bool) -> None:
        self.written = Meeting()
        self.is_first = is_first
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        if is_first:
            wait_until(lambda: seen)
        self.default = 1
        self.asked = 1
        self.caught = 1
        self.suppressed = 1
        self.handled = 1
        if not is_first:
            self.written.join(0)
        self.thread.join()

    def work(self) -> None:
        if not self.is_first:
            self.written.join(1)
        default, asked, caught = self.default, getattr(self, "asked", None), None
        try:
            caught = self.caught
        except AttributeError:
            caught = 0
        suppressed = None
        with contextlib.suppress(AttributeError):
            suppressed = self.suppressed
        try:
            handled: int | None = self.ask()
        except AttributeError:
            handled = None
        if hasattr(self, "asked"):
            asked = self.asked
        seen.append((default, asked, caught, suppressed, handled))

    def ask(self) -> int:
        return self.handled


class Lazy:
    def __init__(self) -> None:
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        self.routes = 1
        self.thread.join()

    def __getattr__(self, name: str) -> Any:
        return 0

    def work(self) -> None:
        assert self.routes in (0, 1)


class Retried:
    routes: int

    def __init__(self) -> None:
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        wait_until(lambda: seen)
        self.routes = 1
        self.thread.join()

    def work(self) -> None:
        while True:
            try:
                assert self.routes == 1
                return
            except AttributeError as error:
                seen.append(error)
                time.sleep(0.001)


for is_first in (False, True):
    seen.clear()
    Server(is_first)
Lazy()
seen.clear()
Retried()
