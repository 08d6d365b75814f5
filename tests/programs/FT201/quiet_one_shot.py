"""Connections registered, or armed later, for one event, which workers close while the loop goes on polling."""

import select
import socket
import threading
import time

for first, armed in ((select.EPOLLIN | select.EPOLLONESHOT, 0), (0, select.EPOLLIN | select.EPOLLONESHOT)):
    ours, theirs = socket.socketpair()
    poller = select.epoll()
    poller.register(ours, first)
    if armed:
        poller.modify(ours, armed)

    def worker(connection: socket.socket = ours) -> None:
        connection.recv(10)
        time.sleep(0.1)
        connection.close()

    def loop(poller: select.epoll = poller, worker: object = worker) -> None:
        poller.poll()
        closing = threading.Thread(target=worker)
        closing.start()
        poller.poll(0.3)
        closing.join()

    thread = threading.Thread(target=loop)
    thread.start()
    theirs.send(b"x")
    thread.join()
