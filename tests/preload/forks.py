"""Forks while other threads send, receive, open and close; each child does so too, and then leaves in one of four ways."""

import os
import socket
import sys
import threading
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # of forks among threads: that is what this is about
over = threading.Event()


def once() -> None:
    here, there = socket.socketpair()
    here.send(b"x")
    assert there.recv(1) == b"x"
    os.close(os.open("/dev/null", os.O_RDWR))
    here.close()
    there.close()


def traffic() -> None:
    while not over.is_set():
        once()


def child(way: int) -> None:
    once()
    if way == 1:
        os.execv("/bin/sh", ["sh", "-c", "exit 7"])
    if way == 2:
        thread = threading.Thread(target=once)
        thread.start()
        thread.join()
    if way == 3:
        over.set()
        sys.exit(7)  # through all that happens at exit
    os._exit(7)


def forks(count: int, ways: int) -> None:
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            child(number % ways)
        assert os.waitpid(pid, 0)[1] == 7 << 8


threads = [threading.Thread(target=traffic) for _ in range(3)]
for thread in threads:
    thread.start()
count = int(sys.argv[1])
forks(count, 4)
forking = threading.Thread(target=forks, args=(count, 3))
forking.start()
forking.join()
over.set()
for thread in threads:
    thread.join()
print("ok")
