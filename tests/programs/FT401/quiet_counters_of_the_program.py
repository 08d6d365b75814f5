"""Classes of the program that are called Counter, with methods that lock, and a Counter under a lock."""

import collections
import threading
from typing import Any

from ftsan.testing import in_turns


class Counter(collections.Counter[str]):
    lock = threading.Lock()

    def update(self, *given: Any, **more: Any) -> None:
        with self.lock:
            super().update(*given, **more)

    def subtract(self, *given: Any, **more: Any) -> None:
        with self.lock:
            super().subtract(*given, **more)


words, plain = Counter(), collections.Counter("ab")


def worker() -> None:
    own = collections.Counter("a")
    own += collections.Counter("ab")
    words.update("ab")
    words.update({"a": 1})
    words.subtract("a")
    with Counter.lock:
        plain.update("a")
        plain.update(own)
        plain.subtract("a")


in_turns(worker, worker)
