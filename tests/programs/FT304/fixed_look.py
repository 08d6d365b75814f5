"""A fact that another thread needs to know of a greenlet is handed over to it."""

import queue
import threading

import greenlet

lines: queue.SimpleQueue[int] = queue.SimpleQueue()


def wait() -> None:
    greenlet.getcurrent().parent.switch()


waiting = greenlet.greenlet(wait)
waiting.switch()
lines.put(waiting.gr_frame.f_lineno)
thread = threading.Thread(target=lines.get)
thread.start()
thread.join()
waiting.switch()
