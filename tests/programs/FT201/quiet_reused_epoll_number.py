"""An epoll instance closed with a registration left in it; the next instance gets its number, and is polled."""

import select
import socket
import threading

from ftsan.testing import wait_until_blocked

ours, theirs = socket.socketpair()
first = select.epoll()
first.register(ours, select.EPOLLIN)
number = first.fileno()
first.close()
ready = threading.Event()


def other() -> None:
    second = select.epoll()
    assert second.fileno() == number
    one, two = socket.socketpair()
    second.register(one, select.EPOLLIN)
    ready.set()
    second.poll(0.4)
    two.close()


thread = threading.Thread(target=other)
thread.start()
ready.wait()
wait_until_blocked(thread)
ours.close()
thread.join()
