"""Two threads blocked in recv on one connection: each gets what the other one waits for."""

import socket
import threading

from ftsan.testing import wait_until, wait_until_blocked

ours, theirs = socket.socketpair()


def worker() -> None:
    ours.recv(1024)  # offending: recv  # owner


readers = [threading.Thread(target=worker) for _ in range(2)]
for thread in readers:
    thread.start()
wait_until_blocked(*readers)
theirs.send(b"first")
wait_until(lambda: not all(thread.is_alive() for thread in readers))
theirs.send(b"second")
for thread in readers:
    thread.join()
