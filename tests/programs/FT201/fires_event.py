"""An event descriptor closed while another thread waits for it, or is writing to one that is full."""

import contextlib
import os
import threading

from ftsan.testing import wait_until_blocked


def wait(event: int) -> None:
    with contextlib.suppress(OSError):
        os.eventfd_read(event)  # owner


def fill(event: int) -> None:
    with contextlib.suppress(OSError):
        os.eventfd_write(event, 2**64 - 2)
        os.eventfd_write(event, 1)  # owner


for use, finish in ((wait, lambda event: os.eventfd_write(event, 1)), (fill, os.eventfd_read)):
    event = os.eventfd(0)
    other = os.dup(event)
    thread = threading.Thread(target=use, args=(event,))
    thread.start()
    wait_until_blocked(thread)
    os.close(event)  # offending: close
    finish(other)
    thread.join()
    os.close(other)
