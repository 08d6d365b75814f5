"""A missing key is filled: what the other thread put there meanwhile, with all that was added to it, is lost."""

import threading

tested: dict[str, list[int]] = {}
got: dict[str, list[int]] = {}
walrus: dict[str, list[int]] = {}


def by_test(key: str) -> list[int]:
    if key not in tested:  # maybe: tested
        tested[key] = []  # race: tested
    return tested[key]


def by_get(key: str) -> list[int]:
    if got.get(key) is None:  # maybe: got
        got[key] = []  # race: got
    return got[key]


def by_walrus(key: str) -> list[int]:
    if (found := walrus.get(key)) is None:  # maybe: walrus
        found = walrus[key] = []  # race: walrus
    return found


def worker() -> None:
    for key in ("a", "b"):
        for function in (by_test, by_get, by_walrus):
            function(key).append(1)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
