"""An object can be found before it is filled; by the time the reader comes and asks whether it is there, it is filled, this time.

ALSO: FT407
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
    route = routes.get("/")  # maybe
    if route is not None:
        assert route.handler == "index"  # race


with tempfile.TemporaryDirectory() as folder:
    filled = os.path.join(folder, "filled")
    threads = [threading.Thread(target=target, args=(filled,)) for target in (producer, consumer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
