"""Descriptors closed while another thread is blocked in a system call on them."""

import contextlib
import os
import select
import socket
import threading

from ftsan.testing import wait_until_blocked


def accept(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        listener.accept()  # owner


def receive(sock: socket.socket) -> None:
    sock.recv(1)  # owner


def wait(poller: select.epoll) -> None:
    with contextlib.suppress(OSError, ValueError):
        poller.poll(0.5)  # owner


def read(end: int) -> None:
    os.read(end, 1)  # owner


def blocked_in(function: object, argument: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=(argument,))
    thread.start()
    wait_until_blocked(thread)
    return thread


listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()
accepting = blocked_in(accept, listener)
listener.close()  # offending: close
with contextlib.suppress(OSError):
    socket.create_connection(address, 1).close()  # accept() goes on as if nothing had happened
accepting.join()

ours, theirs = socket.socketpair()
receiving = blocked_in(receive, ours)
ours.close()  # offending: close
theirs.send(b"x")
receiving.join()
theirs.close()

poller = select.epoll()
polling = blocked_in(wait, poller)
poller.close()  # offending: close
polling.join()

end, start = os.pipe()
reading = blocked_in(read, end)
os.close(end)  # offending: close
os.write(start, b"x")
reading.join()
os.close(start)
