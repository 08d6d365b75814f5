"""One-shot registrations whose connections workers close; numbers reused one after the other."""

import select
import selectors
import socket
import threading

poller = select.epoll()
for _ in range(20):
    ours, theirs = socket.socketpair()
    poller.register(ours, select.EPOLLIN | select.EPOLLONESHOT)
    theirs.send(b"x")
    assert poller.poll(1)
    worker = threading.Thread(target=ours.close)
    worker.start()
    worker.join()
    theirs.close()

selector = selectors.DefaultSelector()
for _ in range(20):
    ours, theirs = socket.socketpair()
    selector.register(ours, selectors.EVENT_READ)
    selector.unregister(ours)
    worker = threading.Thread(target=ours.close)
    worker.start()
    worker.join()
    theirs.close()
selector.close()
