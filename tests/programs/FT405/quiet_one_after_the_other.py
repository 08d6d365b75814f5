"""A generator, zip, csv reader and others advanced by one thread after the other, with join between, and under a lock."""

import csv
import io
import itertools
import threading
from collections.abc import Iterator
from typing import Any

lock = threading.Lock()


def numbers() -> Iterator[int]:
    yield from range(1000)


def advance(iterator: Iterator[Any]) -> None:
    next(iterator)
    for _ in iterator:
        break


def worker(iterator: Iterator[Any]) -> None:
    with lock:
        advance(iterator)


one, two = itertools.tee(range(500))
lines = csv.reader(io.StringIO("a\n" * 500))
for iterator in (one, two, lines, numbers(), zip("ab" * 50, "cd" * 50, strict=True), itertools.cycle("ab"), iter([1] * 500)):
    for _ in range(3):
        thread = threading.Thread(target=advance, args=(iterator,))
        thread.start()
        thread.join()
    threads = [threading.Thread(target=worker, args=(iterator,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    advance(iterator)
