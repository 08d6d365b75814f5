"""`+=` on a list and `|=`, `-=` on a dict or set are atomic, but not beside an iteration."""

import contextlib
import threading

rows, table, tags = [1], {"a": 1}, {"a", "b"}


def read_rows() -> None:
    for _ in rows:  # race: list
        pass


def read_table() -> None:
    for _ in table:  # race: dict
        pass


def read_tags() -> None:
    for _ in tags:  # race: set
        pass


def reader() -> None:
    for function in (read_rows, read_table, read_tags):
        with contextlib.suppress(RuntimeError):
            function()


def writer(rows: list[int], table: dict[str, int], tags: set[str]) -> None:
    rows += [2]  # race: list
    table |= {"b": 2}  # race: dict
    tags -= {"a"}  # race: set


threads = [threading.Thread(target=reader), threading.Thread(target=writer, args=(rows, table, tags))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
