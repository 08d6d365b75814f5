"""Nothing is begun once something has failed: who fails says so, and may say it twice.

ALSO: FT407
"""

import contextlib
import threading
from collections.abc import Callable

from ftsan.testing import in_turns


class Group:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_cancelled = False
        self.errors: list[Exception] = []

    def run(self, task: Callable[[], None]) -> None:
        if self.is_cancelled:
            return
        try:
            task()
        except ValueError as error:
            with self.lock:
                self.errors.append(error)
            self.is_cancelled = True


def fail() -> None:
    raise ValueError


group = Group()


def work() -> None:
    with contextlib.suppress(ValueError):
        group.run(fail)


in_turns(work, work, work)
