"""A list that a generator delegates to, while another thread appends to it."""

import threading
from collections.abc import Iterator

rows = [1, 2, 3]


def all_rows() -> Iterator[int]:
    yield from rows  # race: append


def reader() -> None:
    for _ in all_rows():
        pass


def writer() -> None:
    rows.append(4)  # race: append


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
