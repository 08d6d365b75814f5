"""One list iterator, zip, map, filter, enumerate, reversed and dict iterator, advanced by two threads.

The threads take turns by a file, so that no interpreter crashes of it; nobody takes a file for order between threads.
"""

import os
import tempfile
import threading
import time

rows, names, table = list(range(10)), list("abcdefghij"), dict.fromkeys(range(10))
of_list, zipped, mapped, filtered = iter(rows), zip(rows, names, strict=True), map(str, rows), filter(None, rows)
enumerated, backwards, of_dict = enumerate(rows), reversed(rows), iter(table.items())


def advance() -> None:
    next(of_list)  # race: list
    next(zipped)  # race: zip
    next(mapped)  # race: map
    next(filtered)  # race: filter
    for _ in enumerated:  # race: enumerate
        break
    next(backwards)  # race: reversed
    next(of_dict)  # race: dict


def worker(waits_for: str, then: str) -> None:
    while not os.path.exists(waits_for):
        time.sleep(0.001)
    advance()
    os.mkdir(then)


with tempfile.TemporaryDirectory() as folder:
    first, second, done = folder, os.path.join(folder, "second"), os.path.join(folder, "done")
    threads = [threading.Thread(target=worker, args=args) for args in ((first, second), (second, done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
