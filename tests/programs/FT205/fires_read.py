"""Two threads blocked in recv on one connection: each gets what the other one waits for."""

import socket
import threading
import time

ours, theirs = socket.socketpair()


def worker() -> None:
    ours.recv(1024)  # offending: recv  # owner


readers = [threading.Thread(target=worker) for _ in range(2)]
for thread in readers:
    thread.start()
time.sleep(0.2)
theirs.send(b"first")
time.sleep(0.1)
theirs.send(b"second")
for thread in readers:
    thread.join()
