"""Counters that are items of a dict and of its kind: `d[key] = d[key] + 1` is not atomic (threadsafety.rst)."""

import threading
from collections import Counter, defaultdict

plain = {"a": 0}
default: defaultdict[str, int] = defaultdict(int)
counter: Counter[str] = Counter()


def with_plain() -> None:
    plain["a"] += 1  # race: plain


def with_get() -> None:
    plain["b"] = plain.get("b", 0) + 1  # race: get


def with_default() -> None:
    default["a"] += 1  # race: default


def with_counter() -> None:
    counter["a"] += 1  # race: counter


def worker() -> None:
    for function in (with_plain, with_get, with_default, with_counter):
        function()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
