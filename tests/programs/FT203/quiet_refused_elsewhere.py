"""Threads that each unregister what their own epoll instance does not have, as trio does with each socket that is closed."""

import contextlib
import select
import socket
import threading


def worker() -> None:
    poller = select.epoll()
    ours, theirs = socket.socketpair()
    with contextlib.suppress(FileNotFoundError):
        poller.unregister(ours)
    poller.register(ours)
    poller.unregister(ours)
    with contextlib.suppress(FileNotFoundError):
        poller.unregister(ours)
    ours.close()
    theirs.close()
    poller.close()


for _ in range(3):
    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
