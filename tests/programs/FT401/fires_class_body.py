"""Class bodies that two threads execute count themselves; decorators of methods do."""

import threading
from collections.abc import Callable
from types import SimpleNamespace

shared = SimpleNamespace(bodies=0, methods=0)


def counted(function: Callable[..., object]) -> Callable[..., object]:
    shared.methods += 1  # race: decorator
    return function


def make() -> type:
    class Body:
        shared.bodies += 1  # race: body

        @counted
        def method(self) -> None: ...

    return Body


threads = [threading.Thread(target=make) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
