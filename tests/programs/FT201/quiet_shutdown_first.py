"""Shut down, which wakes the other thread up, and closed by that thread or after it was joined."""

import os
import select
import socket
import threading


def reader(sock: socket.socket) -> None:
    while sock.recv(64):
        pass


def closer(sock: socket.socket) -> None:
    while sock.recv(64):
        pass
    sock.close()


def poller(sock: socket.socket, wake: int) -> None:
    poll = select.epoll()
    poll.register(sock, select.EPOLLIN)
    poll.register(wake, select.EPOLLIN)
    poll.poll()
    poll.close()
    os.close(wake)


for target in (reader, closer):
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=target, args=(ours,))
    thread.start()
    theirs.send(b"x")
    ours.shutdown(socket.SHUT_RDWR)
    thread.join()
    ours.close()
    theirs.close()

ours, theirs = socket.socketpair()
end, start = os.pipe()
thread = threading.Thread(target=poller, args=(ours, end))
thread.start()
os.write(start, b"x")
thread.join()
ours.close()
theirs.close()
os.close(start)
