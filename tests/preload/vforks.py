"""Two threads start programs by vfork while others send, receive, open and close."""

import os
import socket
import subprocess
import sys
import threading
from unittest import mock

over = threading.Event()


def traffic() -> None:
    while not over.is_set():
        here, there = socket.socketpair()
        here.send(b"x")
        assert there.recv(1) == b"x"
        os.close(os.open("/dev/null", os.O_RDWR))
        here.close()
        there.close()


def start(count: int) -> None:
    for _ in range(count):
        assert subprocess.run(["/bin/echo", "x"], stdout=subprocess.PIPE).stdout == b"x\n"
        try:
            subprocess.run(["/nonexistent"])
        except FileNotFoundError:
            continue
        raise AssertionError


threads = [threading.Thread(target=traffic) for _ in range(3)]
for thread in threads:
    thread.start()
count = int(sys.argv[1])
with mock.patch("subprocess._USE_POSIX_SPAWN", False):
    other = threading.Thread(target=start, args=(count,))
    other.start()
    start(count)
    other.join()
over.set()
for thread in threads:
    thread.join()
print("ok")
