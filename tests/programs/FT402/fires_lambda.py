"""Test and act in one expression."""

import contextlib
import threading
from collections.abc import Callable

stack = [1, 2, 3]
listeners: list[Callable[[], None]] = [lambda: None]
take = lambda: stack.pop() if stack else None  # noqa: E731  # race: lambda


def call_once() -> None:
    ((listeners and listeners.pop()) or (lambda: None))()  # race: and


def worker() -> None:
    with contextlib.suppress(IndexError):
        take()
        call_once()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
