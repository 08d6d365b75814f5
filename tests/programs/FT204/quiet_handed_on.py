"""A selector handed from thread to thread, and one woken up before it is changed."""

import selectors
import socket
import threading

selector = selectors.DefaultSelector()
ours, theirs = socket.socketpair()
lock = threading.Lock()


def worker() -> None:
    for _ in range(200):
        with lock:
            selector.register(ours, selectors.EVENT_READ)
            selector.select(0)
            selector.unregister(ours)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
selector.close()
ours.close()
theirs.close()
