"""Closing all numbers there are, as daemons do, in a forked child and in the process itself."""

import contextlib
import os
import socket
import threading


def close_all() -> None:
    for fd in range(200, 256):
        with contextlib.suppress(OSError):
            os.close(fd)


def make() -> None:
    sockets = [one for _ in range(5) for one in socket.socketpair()]
    numbers = [os.dup2(one.fileno(), 200 + at) for at, one in enumerate(sockets)]
    for number in numbers:
        os.close(number)


thread = threading.Thread(target=make)
thread.start()
thread.join()
if os.fork() == 0:
    close_all()
    os._exit(0)
os.wait()
close_all()
