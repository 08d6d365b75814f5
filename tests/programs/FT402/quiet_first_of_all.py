"""Containers that are filled if there is nothing in them: under a lock, with equal values, by one thread; and in any case.

ALSO: FT407
"""

import contextlib
import time
from threading import Lock

from ftsan.testing import run


class Registry:
    def __init__(self) -> None:
        self.lock = Lock()
        self.tables: dict[str, object] = {}
        self.names: dict[str, str] = {}
        self.kinds: set[str] = set()
        self.log: list[str] = []
        self.jobs: list[str] = []

    def locked(self) -> None:
        if not self.tables:
            with self.lock:
                if not self.tables:
                    self.tables["default"] = object()

    def equal(self) -> None:
        if not self.names:
            self.names["default"] = "utf-8"
        if len(self.kinds) == 0:
            self.kinds.add("text")

    def in_any_case(self) -> None:
        if not self.log:
            time.sleep(0)
        self.log.append("done")

    def fills(self) -> None:
        if not self.jobs:
            self.jobs.append("job")

    def takes(self) -> None:
        with contextlib.suppress(IndexError):
            self.jobs.pop()


registry = Registry()
for method in (registry.locked, registry.equal, registry.in_any_case):
    run(method, method)
run(registry.fills, registry.takes)
