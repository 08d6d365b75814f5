"""A pool is given `os.close` itself, and closes what is another thread's file by then; or what was closed already."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

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


with ThreadPoolExecutor(1) as pool:
    pool.submit(int).result()
    thread = threading.Thread(target=victim)
    thread.start()
    os.close(fd)
    first_closed.set()
    opened.wait()
    pool.submit(os.close, fd).result()  # offending: close
    second_closed.set()
    thread.join()
    fd = os.open("/dev/null", os.O_RDONLY)  # created
    os.close(fd)
    with contextlib.suppress(OSError):
        pool.submit(os.close, fd).result()  # offending: close
