"""The value is written before the flag that announces it; the reader looks at the flag first.  Stale reads at most.

ALSO: FT407
"""

import threading
import time


class Box:
    is_ready = False
    value = 0


box = Box()


def producer() -> None:
    box.value = 42
    box.is_ready = True


def consumer() -> None:
    while not box.is_ready:
        time.sleep(0.001)
    assert box.value == 42


threads = [threading.Thread(target=target) for target in (producer, consumer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
