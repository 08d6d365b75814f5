"""The reader of a connection sends too, when it has got an answer: never two messages at a time."""

import socket
import threading

ours, theirs = socket.socketpair()
turn = threading.Semaphore(1)


def server() -> None:
    while theirs.recv(100) != b"stop":
        theirs.sendall(b"answer")


def reader() -> None:
    while ours.recv(100):
        ours.sendall(b"confirm")
        ours.recv(100)
        turn.release()


for target in (server, reader):
    threading.Thread(target=target, daemon=True).start()
for _ in range(1000):
    turn.acquire()
    ours.sendall(b"request")
