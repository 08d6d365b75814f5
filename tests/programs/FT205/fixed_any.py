"""Whole messages are written under one lock."""

import socket
import threading

here, there = socket.socketpair()
lock = threading.Lock()


def write() -> None:
    for _ in range(20):
        with lock:
            here.sendall(b"x" * 100_000)


threads = [threading.Thread(target=write) for _ in range(2)]
for thread in threads:
    thread.start()
left = 2 * 20 * 100_000
while left:
    left -= len(there.recv(1 << 16))
for thread in threads:
    thread.join()
here.close()
there.close()
