"""A flag is set before the value that it announces; the reader comes in between.

ALSO: FT407
"""

import os
import tempfile
import threading
import time


class Box:
    is_ready = False
    value = 0


box = Box()


def producer(seen: str) -> None:
    box.is_ready = True  # maybe
    while not os.path.exists(seen):  # a folder, which nobody takes for order between threads
        time.sleep(0.001)
    box.value = 42  # race


def consumer(seen: str) -> None:
    while not box.is_ready:  # maybe
        time.sleep(0.001)
    assert box.value == 0  # race
    os.mkdir(seen)


with tempfile.TemporaryDirectory() as folder:
    seen = os.path.join(folder, "seen")
    threads = [threading.Thread(target=target, args=(seen,)) for target in (producer, consumer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
