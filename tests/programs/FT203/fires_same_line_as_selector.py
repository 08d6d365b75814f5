"""A line that steps on another thread in an epoll instance, and in a selector after that: one finding, with both places."""

import contextlib
import select
import selectors
import socket
import threading

epoll, selector = select.epoll(), selectors.DefaultSelector()
ours, theirs = socket.socketpair()  # created
reached, opened = threading.Event(), threading.Event()


class Door:
    """A file object inside whose `fileno`, and so inside `register`, a thread waits until it is let go."""

    def fileno(self) -> int:
        reached.set()
        opened.wait()
        return theirs.fileno()


def worker() -> None:
    epoll.register(ours)
    epoll.unregister(ours)  # owner: always
    selector.register(Door(), selectors.EVENT_READ)  # owner: always


def unregister(poller: select.epoll | selectors.BaseSelector) -> None:
    with contextlib.suppress(FileNotFoundError):
        poller.unregister(ours)  # offending: epoll_ctl


selector.register(ours, selectors.EVENT_READ)
thread = threading.Thread(target=worker)
thread.start()
reached.wait()
unregister(epoll)
unregister(selector)
opened.set()
thread.join()
selector.close()
