"""Threads that register descriptors of their own with one epoll instance while another thread polls it."""

import select
import socket
import threading

poller = select.epoll()
done = threading.Event()


def poll() -> None:
    while not done.is_set():
        poller.poll(0.01)


def worker() -> None:
    ours, theirs = socket.socketpair()
    for _ in range(500):
        poller.register(ours, select.EPOLLIN)
        poller.modify(ours, select.EPOLLOUT)
        poller.unregister(ours)
    ours.close()
    theirs.close()


threads = [threading.Thread(target=worker) for _ in range(2)]
polling = threading.Thread(target=poll)
for thread in (polling, *threads):
    thread.start()
for thread in threads:
    thread.join()
done.set()
polling.join()
