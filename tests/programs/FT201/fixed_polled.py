"""A polled socket is closed by the thread that polls, which is asked to by a queue and a wake-up."""

import queue
import select
import socket
import threading

here, there = socket.socketpair()
waker, wake = socket.socketpair()
to_close: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()


def poll() -> None:
    with select.epoll() as epoll:
        epoll.register(here, select.EPOLLIN)
        epoll.register(waker, select.EPOLLIN)
        assert epoll.poll() == [(waker.fileno(), select.EPOLLIN)]
        closing = to_close.get()
        epoll.unregister(closing)
        closing.close()


thread = threading.Thread(target=poll)
thread.start()
to_close.put(here)
wake.send(b"x")
thread.join()
for end in (there, waker, wake):
    end.close()
