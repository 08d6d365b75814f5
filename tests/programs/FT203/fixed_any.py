"""Sockets are registered and unregistered by the thread that polls, which is asked to by a queue and a wake-up."""

import queue
import selectors
import socket
import threading

waker, wake = socket.socketpair()
requests: queue.SimpleQueue[socket.socket | None] = queue.SimpleQueue()


def own(selector: selectors.BaseSelector) -> None:
    selector.register(waker, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is waker:
                waker.recv(1)
                if (asked := requests.get()) is None:
                    return selector.close()
                selector.register(asked, selectors.EVENT_READ)
                selector.unregister(asked)


thread = threading.Thread(target=own, args=(selectors.DefaultSelector(),))
thread.start()
ends = [end for _ in range(3) for end in socket.socketpair()]
for request in (*ends, None):
    requests.put(request)
    wake.send(b"x")
thread.join()
for end in (*ends, waker, wake):
    end.close()
