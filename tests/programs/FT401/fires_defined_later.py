"""Functions and classes that come into being while threads run, and a method of a class that `type` makes."""

import threading
from types import SimpleNamespace
from typing import Any

shared = SimpleNamespace(first=0, second=0)
together = threading.Barrier(2)


def bump(self: Any) -> None:
    self.third += 1  # race: method


late: Any = type("Late", (), {"third": 0, "bump": bump})()


def worker() -> None:
    def local() -> None:
        shared.first += 1  # race: function

    class Local:
        def method(self) -> None:
            shared.second += 1  # race: class

    together.wait()
    local()
    Local().method()
    late.bump()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
