"""An object can be found in a registry before it is filled; the reader comes in between.

ALSO: FT407
"""

import os
import tempfile
import threading
import time


class Route:
    handler = ""


routes: dict[str, Route] = {}


def producer(seen: str) -> None:
    route = Route()
    routes["/"] = route  # maybe
    while not os.path.exists(seen):  # a folder, which nobody takes for order between threads
        time.sleep(0.001)
    route.handler = "index"  # race


def consumer(seen: str) -> None:
    while (route := routes.get("/")) is None:  # maybe
        time.sleep(0.001)
    assert route.handler == ""  # race
    os.mkdir(seen)


with tempfile.TemporaryDirectory() as folder:
    seen = os.path.join(folder, "seen")
    threads = [threading.Thread(target=target, args=(seen,)) for target in (producer, consumer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
