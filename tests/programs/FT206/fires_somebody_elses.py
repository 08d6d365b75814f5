"""The number that is closed a second time is another thread's file by then."""

import contextlib
import os
import threading

fd = os.open("/dev/null", os.O_RDONLY)
first_closed, opened, second_closed = threading.Event(), threading.Event(), threading.Event()


def victim() -> None:
    first_closed.wait()
    mine = os.open("/dev/zero", os.O_RDONLY)  # created
    assert mine == fd
    opened.set()
    second_closed.wait()
    with contextlib.suppress(OSError):
        os.read(mine, 1)  # owner


def second() -> None:
    opened.wait()
    os.close(fd)  # offending: close
    second_closed.set()


threads = [threading.Thread(target=victim), threading.Thread(target=second)]
for thread in threads:
    thread.start()
os.close(fd)
first_closed.set()
for thread in threads:
    thread.join()
