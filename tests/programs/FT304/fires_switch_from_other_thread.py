"""A greenlet that waits in one thread is woken by another one."""

import contextlib
import threading

import greenlet


def wait() -> None:
    greenlet.getcurrent().parent.switch()


waiting = greenlet.greenlet(wait)  # created
waiting.switch()


def wake() -> None:
    with contextlib.suppress(greenlet.error):
        waiting.switch()  # offending: switch


thread = threading.Thread(target=wake)
thread.start()  # owner
thread.join()  # owner
