"""Sockets closed while another thread polls them: with epoll, poll and select."""

import select
import socket
import threading

from ftsan.testing import wait_until_blocked


def epoll(sock: socket.socket) -> None:
    poller = select.epoll()
    poller.register(sock, select.EPOLLIN)
    poller.poll(0.5)  # owner


def poll(sock: socket.socket) -> None:
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    poller.poll(500)  # owner


def select_(sock: socket.socket) -> None:
    select.select([sock], [], [], 0.5)  # owner


for wait in (epoll, poll, select_):
    ours, theirs = socket.socketpair()  # created
    thread = threading.Thread(target=wait, args=(ours,))
    thread.start()
    wait_until_blocked(thread)
    ours.close()  # offending: close
    thread.join()
    theirs.close()
