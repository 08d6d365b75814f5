"""A reader beside a writer, writers under a lock, wake-ups, datagrams, and threads that accept."""

import contextlib
import socket
import threading

ours, theirs = socket.socketpair()
lock = threading.Lock()


def write() -> None:
    for _ in range(50):
        with lock:
            ours.sendall(b"x" * 10_000)


def echo() -> None:
    left = 2 * 50 * 10_000
    while left:
        data = theirs.recv(4096)
        theirs.sendall(data[:100])
        left -= len(data)
    theirs.shutdown(socket.SHUT_WR)


def read() -> None:
    while ours.recv(4096):
        pass


def run(*functions: object) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


run(write, write, echo, read)

waker, woken = socket.socketpair()
waker.setblocking(False)


def wake() -> None:
    for _ in range(1000):
        with contextlib.suppress(BlockingIOError):
            waker.send(b"\0")


run(wake, wake, wake)

datagrams, receiver = socket.socketpair(type=socket.SOCK_DGRAM)


def shoot() -> None:
    for _ in range(300):
        datagrams.send(b"datagram")


def catch() -> None:
    for _ in range(300):
        receiver.recv(64)


run(shoot, shoot, catch, catch)

listener = socket.create_server(("127.0.0.1", 0))


def accept() -> None:
    listener.accept()[0].close()


def connect() -> None:
    socket.create_connection(listener.getsockname()).close()


run(accept, accept, connect, connect)
