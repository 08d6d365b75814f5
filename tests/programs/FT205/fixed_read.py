"""One thread reads and hands whole messages to the others."""

import queue
import socket
import threading

here, there = socket.socketpair()
messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()


def read() -> None:
    with here.makefile("rb") as file:
        for line in file:
            messages.put(line)
    messages.put(b"")
    messages.put(b"")


def use() -> None:
    while messages.get():
        pass


threads = [threading.Thread(target=target) for target in (read, use, use)]
for thread in threads:
    thread.start()
there.sendall(b"hello\n" * 100)
there.close()
for thread in threads:
    thread.join()
here.close()
