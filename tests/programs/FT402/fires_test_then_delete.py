"""`if key in d: del d[key]` is not atomic (threadsafety.rst), neither are its relatives of list, set and bytearray."""

import contextlib
import threading

table, names, tags, data = {"a": 1}, ["a"], {"a"}, bytearray(b"a")


def from_dict(key: str) -> None:
    if key in table:  # maybe: dict
        del table[key]  # noqa: RUF051  # race: dict


def from_list(name: str) -> None:
    if name in names:  # maybe: list
        names.remove(name)  # race: list


def from_set(tag: str) -> None:
    if tag in tags:  # maybe: set
        tags.remove(tag)  # race: set


def from_bytearray(byte: int) -> None:
    if byte in data:  # maybe: bytearray
        data.remove(byte)  # race: bytearray


def worker() -> None:
    for act in (lambda: from_dict("a"), lambda: from_list("a"), lambda: from_set("a"), lambda: from_bytearray(97)):
        with contextlib.suppress(LookupError, ValueError):
            act()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
