"""A greenlet is switched to by its own thread, which another one wakes up."""

import queue
import threading

import greenlet

news: queue.SimpleQueue[int] = queue.SimpleQueue()


def wait() -> None:
    greenlet.getcurrent().parent.switch()


waiting = greenlet.greenlet(wait)
waiting.switch()
thread = threading.Thread(target=news.put, args=(1,))
thread.start()
assert news.get() == 1
waiting.switch()
thread.join()
