"""Threads keep connections in one dictionary by the numbers of their descriptors, and take them off before they close them."""

import os
import socket
import threading


class Connection:
    def __init__(self, socket: socket.socket) -> None:
        self.socket = socket
        self.received = 0


by_descriptor: dict[int, Connection] = {}
pipes: dict[int, str] = {}


def serve() -> None:
    for _ in range(50):
        ours, theirs = socket.socketpair()
        number = ours.fileno()
        if number not in by_descriptor:
            by_descriptor[number] = Connection(ours)
        by_descriptor[number].received += 1
        by_descriptor.pop(number)
        ours.close()
        theirs.close()
        reader, writer = os.pipe()
        pipes[reader] = "open"
        del pipes[reader]
        os.close(reader)
        os.close(writer)


def answer(connection: socket.socket) -> None:
    number = connection.fileno()
    by_descriptor[number] = Connection(connection)
    connection.recv(1)
    by_descriptor[number].received += 1
    del by_descriptor[number]
    connection.close()


def accept(server: socket.socket) -> None:
    for _ in range(40):
        connection, _address = server.accept()
        threading.Thread(target=answer, args=(connection,)).start()


with socket.create_server(("127.0.0.1", 0)) as server:
    acceptor = threading.Thread(target=accept, args=(server,))
    acceptor.start()
    for _ in range(40):
        with socket.create_connection(server.getsockname()) as client:
            client.send(b"x")
            client.recv(1)
    acceptor.join()
threads = [threading.Thread(target=serve) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
