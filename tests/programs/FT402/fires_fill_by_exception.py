"""A missing key or attribute is filled by whoever finds it missing: `try` is as little atomic as `if`.

threadsafety.rst recommends handling the exception for `del d[key]`, one operation; here are two, and one list is lost.
"""

import threading
from types import SimpleNamespace

cache: dict[str, list[int]] = {}
memo = SimpleNamespace()


def item() -> list[int]:
    try:
        return cache["a"]  # maybe: item
    except KeyError:
        found = cache["a"] = []  # race: item
        return found


def attribute() -> list[int]:
    try:
        return memo.found  # type: ignore[no-any-return]  # maybe: attribute
    except AttributeError:
        memo.found = []  # race: attribute
        return []


def worker() -> None:
    item()
    attribute()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
