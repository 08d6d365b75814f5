"""Threads that close as soon as they are woken up, while the writer of the last byte is still on its way out of send()."""

import socket
import threading

for _ in range(300):
    ours, theirs = socket.socketpair()

    def reader(end: socket.socket = theirs) -> None:
        end.recv(1)
        end.close()

    thread = threading.Thread(target=reader)
    thread.start()
    ours.send(b"x")
    thread.join()
    ours.close()
