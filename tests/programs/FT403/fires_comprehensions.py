"""Comprehensions and generator expressions iterate, and a generator function does when it is advanced."""

import contextlib
import threading
from collections.abc import Iterator

names, table, tags, rows = ["a"], {"a": 1}, {"a"}, [1, 2]


def generated() -> Iterator[int]:
    for row in rows:  # noqa: UP028  # race: generator
        yield row


def reader() -> None:
    [name.upper() for name in names]  # race: list
    sum(generated())
    with contextlib.suppress(RuntimeError):
        any(value < 0 for value in table.values())  # race: dict
    with contextlib.suppress(RuntimeError):
        {tag: len(tag) for tag in tags}  # race: set


def writer() -> None:
    names.append("b")  # race: list
    rows.append(3)  # race: generator
    table["b"] = 2  # race: dict
    tags.discard("a")  # race: set


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
