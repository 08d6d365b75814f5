"""A module that is imported lazily is executed by the thread that needs it first; one that uses it later comes after.

SINCE: 3.15
"""

import sys
import threading
import time
from types import SimpleNamespace

shared = SimpleNamespace(n=0, uses=0)
sys.modules["shared_by_programs"] = shared  # type: ignore[assignment]
__lazy_modules__ = ["a_module_that_counts"]
import a_module_that_counts  # noqa: E402


def first() -> None:
    len(a_module_that_counts.table)


def second() -> None:
    while "a_module_that_counts" not in sys.modules:
        time.sleep(0.0001)
    len(a_module_that_counts.table)
    shared.n += 1


threads = [threading.Thread(target=target) for target in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 2
