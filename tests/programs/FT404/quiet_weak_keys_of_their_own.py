"""Threads keep something of their own objects in one dictionary with weak keys; the objects go without being taken off."""

import threading
import weakref


class Request:
    pass


times: weakref.WeakKeyDictionary[Request, int] = weakref.WeakKeyDictionary()


def serve() -> None:
    for number in range(100):
        request = Request()
        times[request] = number
        times[request] += 1


threads = [threading.Thread(target=serve) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
