"""Whether there is something is asked without the lock, and the loop takes it; or the loop walks over a copy.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns

lock = threading.Lock()
table: dict[int, int] = {}
items: list[int] = []


def reader() -> None:
    if table:
        with lock:
            for _ in table:
                pass
    if items:
        for _ in items.copy():
            pass
    for _ in [*table.values()]:
        pass


def writer() -> None:
    with lock:
        table[1] = 1
    items.append(1)


in_turns(reader, writer)
