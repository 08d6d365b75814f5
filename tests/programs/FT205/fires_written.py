"""Two threads whose messages do not fit into the buffer of one connection."""

import socket
import threading
import time

ours, theirs = socket.socketpair()  # created


def worker(byte: bytes) -> None:
    ours.sendall(byte * 4_000_000)  # offending: send  # owner


def drain() -> None:
    time.sleep(0.4)
    while theirs.recv(65536):
        pass


writers = [threading.Thread(target=worker, args=(byte,)) for byte in (b"a", b"b")]
reader = threading.Thread(target=drain)
for thread in (*writers, reader):
    thread.start()
    time.sleep(0.1)
for thread in writers:
    thread.join()
ours.shutdown(socket.SHUT_WR)
reader.join()
