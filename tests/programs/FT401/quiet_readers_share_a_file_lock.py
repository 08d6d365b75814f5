"""Readers of a file share its lock, a writer has it alone: it comes after the readers, and they come after it."""

import fcntl
import os
import tempfile
import threading


class Count:
    written = 0
    read: list[int]


count = Count()
count.read = [0, 0]


def writer(path: str) -> None:
    for _ in range(20):
        with open(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            count.written += 1
            # Nobody reads now.
            count.read[0] += 1
            count.read[1] += 1


def reader(path: str, place: int) -> None:
    for _ in range(20):
        number = os.open(path, os.O_RDONLY)
        fcntl.flock(number, fcntl.LOCK_SH)
        assert count.written >= 0
        count.read[place] += 1
        fcntl.flock(number, fcntl.LOCK_UN)
        os.close(number)


with tempfile.NamedTemporaryFile() as file:
    threads = [threading.Thread(target=writer, args=(file.name,))]
    threads += [threading.Thread(target=reader, args=(file.name, place)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert (count.written, count.read) == (20, [40, 40])
