"""Threads that receive from one accepted socket which keeps messages apart: each gets whole ones."""

import socket
import tempfile
import threading
from pathlib import Path

from ftsan.testing import wait_until_blocked

with tempfile.TemporaryDirectory() as folder:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(Path(folder) / "socket"))
    listener.listen()
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(listener.getsockname())
    accepted, _ = listener.accept()


def receive() -> None:
    assert accepted.recv(10) == b"message"


threads = [threading.Thread(target=receive) for _ in range(3)]
for thread in threads:
    thread.start()
    wait_until_blocked(thread)
for _ in threads:
    client.send(b"message")
for thread in threads:
    thread.join()
for each in (client, accepted, listener):
    each.close()
