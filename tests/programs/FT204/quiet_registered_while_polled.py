"""Sockets put into an epoll selector, and taken out, while another thread waits in select(): the kernel allows that."""

import selectors
import socket
import threading

selector = selectors.EpollSelector()
lock = threading.Lock()
wake, woken = socket.socketpair()
selector.register(woken, selectors.EVENT_READ)
pairs = [socket.socketpair() for _ in range(20)]
done = threading.Semaphore(0)


def serve() -> None:
    while True:
        for key, _ in selector.select():
            if key.fileobj is woken:
                return
            with lock:
                selector.unregister(key.fileobj)
            done.release()


thread = threading.Thread(target=serve)
thread.start()
for ours, theirs in pairs:
    with lock:
        selector.register(theirs, selectors.EVENT_READ)
        selector.modify(theirs, selectors.EVENT_READ, ours)
    ours.send(b"x")
    done.acquire()
wake.send(b"x")
thread.join()
selector.close()
for pair in [*pairs, (wake, woken)]:
    for end in pair:
        end.close()
