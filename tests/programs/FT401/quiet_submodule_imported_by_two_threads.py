"""A module in a package that two threads import is executed by one of them; the other one comes after."""

import importlib
import sys
import threading
import time
from types import SimpleNamespace

shared = SimpleNamespace(n=0)
sys.modules["shared_by_programs"] = shared  # type: ignore[assignment]
importlib.import_module("a_module_that_counts")


def first() -> None:
    importlib.import_module("a_module_that_counts.once_more")


def second() -> None:
    while "a_module_that_counts.once_more" not in sys.modules:
        time.sleep(0.0001)
    import a_module_that_counts.once_more  # noqa: F401

    shared.n += 1


threads = [threading.Thread(target=target) for target in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 3
