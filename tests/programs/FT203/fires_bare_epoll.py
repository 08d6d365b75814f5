"""Two threads that register and unregister one socket with one epoll instance."""

import contextlib
import select
import socket
import threading
import time

poller = select.epoll()
ours, theirs = socket.socketpair()  # created
together = threading.Barrier(2)


def worker() -> None:
    together.wait()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        for change in (poller.register, poller.unregister):
            with contextlib.suppress(OSError):
                change(ours)  # offending: epoll_ctl


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
