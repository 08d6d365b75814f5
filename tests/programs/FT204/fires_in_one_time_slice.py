"""Two threads that change a selector, by calls too short for them to meet by themselves.

Each goes on for a tenth of a second of its own: on a busy machine one would be through before the other one is awake.
"""

import selectors
import socket
import threading
import time

selector = selectors.DefaultSelector()
pair = socket.socketpair()
for end in pair:
    selector.register(end, selectors.EVENT_READ)
barrier = threading.Barrier(2)


def worker(file: socket.socket) -> None:
    barrier.wait()
    end = time.thread_time() + 0.1
    while (now := time.thread_time()) < end:
        selector.modify(file, selectors.EVENT_READ, now)  # offending: modify # owner


threads = [threading.Thread(target=worker, args=(file,)) for file in pair]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
selector.close()
for end in pair:
    end.close()
