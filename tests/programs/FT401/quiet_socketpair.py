"""A thread that has received a byte from a socket of a pair comes after its sender: send, sendall, recv, recv_into, makefile."""

import socket
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def worker(sock: socket.socket) -> None:
    buffer = bytearray(1)
    for number in range(50):
        assert sock.recv(1) if number % 2 else sock.recv_into(buffer)
        shared.n += 1
        if number % 2:
            sock.send(b".")
        else:
            sock.sendall(b".")


def with_file(sock: socket.socket) -> None:
    with sock.makefile("rwb", buffering=0) as file:
        for _ in range(50):
            file.read(1)
            shared.n += 1
            file.write(b".")


for function in (worker, with_file):
    first, second = socket.socketpair()
    threads = [threading.Thread(target=function, args=(sock,)) for sock in (first, second)]
    for thread in threads:
        thread.start()
    first.send(b".")
    for thread in threads:
        thread.join()
    first.close()
    second.close()
assert shared.n == 200
