"""Containers that are replaced under a lock and never changed: a thread that iterates has an old one or a new one.

That the attribute is read without the lock is a stale read at most.

ALSO: FT407
"""

import threading

lock = threading.Lock()


class Registry:
    def __init__(self) -> None:
        self.listeners: list[str] = []
        self.routes: dict[str, str] = {}

    def add(self, name: str) -> None:
        with lock:
            self.listeners = [*self.listeners, name]
            routes, routes[name] = dict(self.routes), name
            self.routes = routes

    def notify(self) -> None:
        assert all(listener for listener in self.listeners)
        assert all(path == name for path, name in self.routes.items())


def worker() -> None:
    for number in range(20):
        registry.add(threading.current_thread().name + str(number))
        registry.notify()


registry = Registry()
threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
