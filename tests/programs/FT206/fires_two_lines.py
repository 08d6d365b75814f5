"""A descriptor closed by two threads, each on a line of its own."""

import contextlib
import os
import threading

number = os.open(os.devnull, os.O_RDONLY)  # created


def first() -> None:
    os.close(number)


def second() -> None:
    with contextlib.suppress(OSError):
        os.close(number)  # offending: close


for target in (first, second):
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
