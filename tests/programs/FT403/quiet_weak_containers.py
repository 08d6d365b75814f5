"""Containers of weakref, which guard their iteration themselves, and a ChainMap over dicts that are only read."""

import threading
import weakref
from collections import ChainMap


class Client:
    pass


clients: weakref.WeakSet[Client] = weakref.WeakSet()
settings = ChainMap({"level": 1}, {"mode": "a"})
keep = [Client() for _ in range(10)]
for client in keep:
    clients.add(client)


def worker() -> None:
    for _ in range(20):
        assert len(list(clients)) >= 10
        assert settings["mode"] == "a" and set(settings) == {"level", "mode"}


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
