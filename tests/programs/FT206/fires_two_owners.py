"""Numbers that two owners close: an object and `os.close()`, in either order, or two objects."""

import contextlib
import os
import socket
import threading


def close_number(number: int) -> None:
    with contextlib.suppress(OSError):
        os.close(number)  # offending: close


def close_object(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.close()  # offending: close


def in_thread(function: object, argument: object) -> None:
    thread = threading.Thread(target=function, args=(argument,))
    thread.start()
    thread.join()


ours, theirs = socket.socketpair()  # created
number = ours.fileno()
in_thread(close_number, number)
with contextlib.suppress(OSError):
    ours.close()
number = theirs.fileno()
theirs.close()
in_thread(close_number, number)
ours, theirs = socket.socketpair()  # created
other = socket.socket(fileno=ours.fileno())
ours.close()
in_thread(close_object, other)
theirs.close()
