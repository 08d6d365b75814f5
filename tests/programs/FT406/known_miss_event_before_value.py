"""An event is set, and then the value written that it announces.

Nothing says that it is this value which the event announces: FT407, an info.

ALSO: FT407
"""

import threading


class Box:
    value = 0


box = Box()
ready = threading.Event()


def producer() -> None:
    ready.set()
    box.value = 42  # race


def consumer() -> None:
    ready.wait()
    assert box.value in (0, 42)  # race


threads = [threading.Thread(target=target) for target in (producer, consumer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
