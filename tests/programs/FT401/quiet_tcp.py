"""A TCP connection within the process: server and client update in turns, one byte each way."""

import socket
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)
listening = socket.create_server(("127.0.0.1", 0))


def server() -> None:
    connection, _ = listening.accept()
    with connection:
        for _ in range(50):
            connection.recv(1)
            shared.n += 1
            connection.sendall(b".")


def client() -> None:
    with socket.create_connection(listening.getsockname()) as connection:
        for _ in range(50):
            shared.n += 1
            connection.sendall(b".")
            connection.recv(1)


threads = [threading.Thread(target=target) for target in (server, client)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
listening.close()
assert shared.n == 100
