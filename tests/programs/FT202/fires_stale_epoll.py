"""A bare epoll instance whose user modifies a registration that is not there any more."""

import contextlib
import select
import socket
import threading

poller = select.epoll()
first, peer = socket.socketpair()
number = first.fileno()
poller.register(number, select.EPOLLIN)  # owner


def close() -> None:
    first.close()  # offending: close


thread = threading.Thread(target=close)
thread.start()
thread.join()
second, other = socket.socketpair()
with contextlib.suppress(FileNotFoundError):
    poller.modify(number, select.EPOLLOUT)
