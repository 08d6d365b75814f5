"""A flag is set before the value that it announces; the reader comes when both are there, this time.

ALSO: FT407
"""

import threading
import time


class Box:
    is_ready = False
    value = 0


box = Box()


def producer() -> None:
    box.is_ready = True  # maybe
    box.value = 42  # race


def consumer() -> None:
    while not box.is_ready:  # maybe
        time.sleep(0.001)
    assert box.value in (0, 42)  # race


threads = [threading.Thread(target=target) for target in (producer, consumer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
