"""Two threads whose messages do not fit into the buffer of one connection."""

import socket
import threading

from ftsan.testing import wait_until_blocked

ours, theirs = socket.socketpair()  # created


def worker(byte: bytes) -> None:
    ours.sendall(byte * 4_000_000)  # offending: send  # owner


writers = [threading.Thread(target=worker, args=(byte,)) for byte in (b"a", b"b")]
for thread in writers:
    thread.start()
wait_until_blocked(*writers)
left = 8_000_000
while left:
    left -= len(theirs.recv(65536))
for thread in writers:
    thread.join()
