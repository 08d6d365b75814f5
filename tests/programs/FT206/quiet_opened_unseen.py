"""A number that a thread closed, opened again by the C library itself (opendir), and closed twice by its owner."""

import contextlib
import ctypes
import os
import threading

libc = ctypes.CDLL(None)
libc.opendir.restype = ctypes.c_void_p
libc.dirfd.argtypes = [ctypes.c_void_p]


def make() -> None:
    for end in os.pipe():
        os.close(end)


thread = threading.Thread(target=make)
thread.start()
thread.join()
fd = libc.dirfd(libc.opendir(b"/"))
os.close(fd)
with contextlib.suppress(OSError):
    os.close(fd)
