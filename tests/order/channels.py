"""Pipes, sockets and the like between threads of one process."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
from typing import Any

from tests.order import harness
from tests.order.harness import Pair, edge


@edge("posix:.write")
def pipe() -> Pair:
    reading, writing = os.pipe()
    return lambda: os.write(writing, b"x"), lambda: os.read(reading, 1)


@edge("posix:.read", blocking=True)
def pipe_waited_for() -> Pair:
    reading, writing = os.pipe()
    return lambda: os.write(writing, b"x"), lambda: os.read(reading, 1)


@edge("posix:.readv")
def pipe_by_vectors() -> Pair:
    reading, writing = os.pipe()
    return lambda: os.writev(writing, [b"x"]), lambda: os.readv(reading, [bytearray(1)])


@edge("posix:.close")
def pipe_closed() -> Pair:
    reading, writing = os.pipe()
    return lambda: os.close(writing), lambda: os.read(reading, 1)


@edge("", expected=False)
def another_pipe() -> Pair:
    _, writing = os.pipe()
    other, to_other = os.pipe()
    os.write(to_other, b"x")
    return lambda: os.write(writing, b"x"), lambda: os.read(other, 1)


@edge("_io:FileIO.write")
def pipe_of_files() -> Pair:
    reading, writing = os.pipe()
    reader, writer = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
    return lambda: (writer.write(b"x"), writer.flush()), lambda: reader.read(1)


@edge("_io:FileIO.close")
def pipe_of_files_closed() -> Pair:
    reading, writing = os.pipe()
    reader, writer = os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0)
    return writer.close, reader.readall


@edge("posix:.eventfd_write")
def event_descriptor() -> Pair:
    number = os.eventfd(0)
    return lambda: os.eventfd_write(number, 1), lambda: os.eventfd_read(number)


@edge("", expected=False)
def another_event_descriptor() -> Pair:
    number, other = os.eventfd(0), os.eventfd(1)
    return lambda: os.eventfd_write(number, 1), lambda: os.eventfd_read(other)


@edge("_socket:socket.send")
def socket_pair() -> Pair:
    one, other = socket.socketpair()
    return lambda: one.send(b"x"), lambda: other.recv(1)


@edge("_socket:socket.sendmsg")
def socket_pair_by_messages() -> Pair:
    one, other = socket.socketpair()
    return lambda: one.sendmsg([b"x"]), lambda: other.recvmsg(1)


@edge("_socket:socket.shutdown")
def socket_shut_down() -> Pair:
    one, other = socket.socketpair()
    return lambda: one.shutdown(socket.SHUT_WR), lambda: other.recv(1)


@edge("_socket:socket.close")
def socket_closed() -> Pair:
    one, other = socket.socketpair()
    return one.close, lambda: other.recv(1)


@edge("_socket:.socketpair", expected=False)
def another_socket_pair() -> Pair:
    one, _ = pair = socket.socketpair()
    another = socket.socketpair()
    another[0].send(b"x")
    return lambda: (one.send(b"x"), pair), lambda: another[1].recv(1)


def connected(family: socket.AddressFamily, address: Any) -> tuple[socket.socket, socket.socket]:
    with socket.create_server(address, family=family) as server:
        client = socket.socket(family)
        client.connect(server.getsockname())
        accepted, _ = server.accept()
    return client, accepted


@edge("_socket:socket.sendall")
def tcp() -> Pair:
    client, server = connected(socket.AF_INET, ("127.0.0.1", 0))
    return lambda: client.sendall(b"x"), lambda: server.recv_into(bytearray(1))


@edge("_socket:socket.recv")
def tcp_the_other_way() -> Pair:
    client, server = connected(socket.AF_INET, ("127.0.0.1", 0))
    return lambda: server.sendall(b"x"), lambda: client.recv(1)


@edge("_socket:socket.recv")
def unix_socket() -> Pair:
    client, server = connected(socket.AF_UNIX, tempfile.mktemp())
    return lambda: client.sendall(b"x"), lambda: server.recv(1)


@edge("", expected=False)
def another_connection() -> Pair:
    client, server = connected(socket.AF_INET, ("127.0.0.1", 0))
    other, its_server = connected(socket.AF_INET, ("127.0.0.1", 0))
    other.sendall(b"x")
    return lambda: client.sendall(b"x"), lambda: (its_server.recv(1), server)


@edge("_socket:socket.connect")
def connection_accepted() -> Pair:
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.socket()
    return lambda: client.connect(server.getsockname()), server.accept


@edge("_socket:socket.sendto")
def datagram() -> Pair:
    one, other = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    return lambda: one.sendto(b"x", other.getsockname()), lambda: other.recvfrom(1)


@edge("_socket:socket.send")
def datagram_by_a_connected_socket() -> Pair:
    one, other = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    one.connect(other.getsockname())
    return lambda: one.send(b"x"), lambda: other.recvfrom(1)


@edge("posix:.write multiprocessing.connection:Connection._send")
def connection_of_multiprocessing() -> Pair:
    one, other = multiprocessing.Pipe()
    return lambda: one.send(1), other.recv


@edge("posix:.write multiprocessing.connection:Connection._send")
def one_way_connection_of_multiprocessing() -> Pair:
    reading, writing = multiprocessing.Pipe(duplex=False)
    return lambda: writing.send(1), reading.recv


@edge("multiprocessing.connection:Connection._send")
def connections_to_a_child_and_back() -> Pair:
    its_input, writing = multiprocessing.Pipe(duplex=False)
    reading, its_output = multiprocessing.Pipe(duplex=False)
    # Not its standard streams: these are known to belong together.
    numbers = its_input.fileno(), its_output.fileno()
    child = subprocess.Popen(
        [sys.executable, "-c", "import os; os.write({1}, os.read({0}, 99))".format(*numbers)], pass_fds=numbers
    )
    return lambda: writing.send(1), lambda: (reading.recv(), child.wait())


if __name__ == "__main__":
    harness.main()
