"""A decorator that remembers results in a dict of its closure; results that are mutable have an identity."""

import threading
from collections.abc import Callable


def memoized(function: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    cache: dict[str, list[str]] = {}

    def wrapper(key: str) -> list[str]:
        if key not in cache:  # maybe
            cache[key] = function(key)  # race
        return cache[key]

    return wrapper


@memoized
def rows(key: str) -> list[str]:
    return [key]


threads = [threading.Thread(target=rows, args=("a",)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
