"""Connections registered, or armed later, for one event, which workers close while the loop goes on polling."""

import select
import socket
import threading

from ftsan.testing import wait_until_blocked

pollers: list[threading.Thread] = []
for first, armed in ((select.EPOLLIN | select.EPOLLONESHOT, 0), (0, select.EPOLLIN | select.EPOLLONESHOT)):
    ours, theirs = socket.socketpair()
    poller = select.epoll()
    poller.register(ours, first)
    if armed:
        poller.modify(ours, armed)

    def worker(connection: socket.socket = ours) -> None:
        connection.recv(10)
        wait_until_blocked(pollers[-1])  # polling again
        connection.close()

    def loop(poller: select.epoll = poller, worker: object = worker) -> None:
        poller.poll()
        closing = threading.Thread(target=worker)
        closing.start()
        poller.poll(0.3)
        closing.join()

    pollers.append(threading.Thread(target=loop))
    pollers[-1].start()
    theirs.send(b"x")
    pollers[-1].join()
