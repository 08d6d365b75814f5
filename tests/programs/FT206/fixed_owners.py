"""Numbers that are given away, lent or duplicated, so that each is closed by one owner."""

import os
import socket
import threading


def close(number: int) -> None:
    os.close(number)


def in_thread(number: int) -> None:
    thread = threading.Thread(target=close, args=(number,))
    thread.start()
    thread.join()


ours, theirs = socket.socketpair()
in_thread(ours.detach())
ours.close()
in_thread(os.dup(theirs.fileno()))
theirs.close()
number = os.open(os.devnull, os.O_RDONLY)
with os.fdopen(number, closefd=False) as file:
    file.read()
in_thread(number)
