"""`flock` and the locks of an open file exclude threads that have opened it on their own; what is closed has no lock."""

import fcntl
import os
import struct
import tempfile
import threading
from typing import Any


class Count:
    by_number = by_file = by_with = by_open_file = 0


count = Count()


def open_file_lock(file: Any, kind: int) -> None:
    fcntl.fcntl(file, fcntl.F_OFD_SETLKW, struct.pack("hhlli", kind, os.SEEK_SET, 0, 0, 0))


def worker(path: str) -> None:
    for _ in range(20):
        number = os.open(path, os.O_RDWR)
        fcntl.flock(number, fcntl.LOCK_EX)
        count.by_number += 1
        fcntl.flock(number, fcntl.LOCK_UN)
        os.close(number)
        file = open(path, "r+")  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX)
        count.by_file += 1
        file.close()
        with open(path, "rb") as raw:
            fcntl.flock(raw.fileno(), fcntl.LOCK_EX)
            count.by_with += 1
        with open(path, "r+") as file:
            open_file_lock(file, fcntl.F_WRLCK)
            count.by_open_file += 1
            open_file_lock(file, fcntl.F_UNLCK)


with tempfile.NamedTemporaryFile() as file:
    threads = [threading.Thread(target=worker, args=(file.name,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert (count.by_number, count.by_file, count.by_with, count.by_open_file) == (40, 40, 40, 40)
