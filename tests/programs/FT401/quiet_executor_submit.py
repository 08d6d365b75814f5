"""A task runs after what was done before submit, and result returns after the task; its exception does, too."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def task(fails: bool) -> None:
    shared.n += 1
    if fails:
        raise KeyError


def parent() -> None:
    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            shared.n += 1
            future = pool.submit(task, number % 2 == 0)
            with contextlib.suppress(KeyError):
                future.result(60)
            shared.n += 1
            future = pool.submit(task, True)
            assert isinstance(future.exception(), KeyError)


thread = threading.Thread(target=parent)
thread.start()
thread.join()
assert shared.n == 80
