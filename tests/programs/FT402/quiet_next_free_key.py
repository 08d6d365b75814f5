"""Keys or numbers that are given out by how many there are: under a lock, in containers of one thread, or of something else.

ALSO: FT407
"""

import threading
from concurrent.futures import ThreadPoolExecutor

lock = threading.Lock()
visitors: dict[int, str] = {}
numbers: dict[str, int] = {}
sizes: dict[str, int] = {}
row = [0, 0, 0]


def enter(name: str) -> None:
    with lock:
        visitors[len(visitors)] = name
        numbers.setdefault(name, len(numbers))


def count(words: list[str]) -> dict[str, int]:
    own: dict[str, int] = {}
    for word in words:
        own.setdefault(word, len(own))
        sizes[word] = len(word)
    return own


def last() -> None:
    with lock:
        row[len(row) - 1] += 1


with ThreadPoolExecutor(4) as pool:
    for name in "abcabc":
        pool.submit(enter, name)
        pool.submit(count, ["one", "two", name])
        pool.submit(last)
assert (len(visitors), sorted(numbers.values()), row[2]) == (6, [0, 1, 2], 6)
