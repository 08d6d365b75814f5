"""Sockets closed while another thread polls them: with epoll, poll and select."""

import select
import socket
import threading
import time


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
    time.sleep(0.2)
    ours.close()  # offending: close
    thread.join()
    theirs.close()
