"""An object can be found before it is filled, but is filled by the time the reader comes, this time.

The reader does not ask whether it is there, so nothing says that it came too early: FT407, an info.
"""

import os
import tempfile
import threading
import time


class Route:
    handler = ""


routes: dict[str, Route] = {}


def producer(filled: str) -> None:
    route = Route()
    routes["/"] = route  # maybe
    route.handler = "index"  # race
    os.mkdir(filled)


def consumer(filled: str) -> None:
    while not os.path.exists(filled):  # a folder, which nobody takes for order between threads
        time.sleep(0.001)
    assert routes["/"].handler == "index"  # race


with tempfile.TemporaryDirectory() as folder:
    filled = os.path.join(folder, "filled")
    threads = [threading.Thread(target=target, args=(filled,)) for target in (producer, consumer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
