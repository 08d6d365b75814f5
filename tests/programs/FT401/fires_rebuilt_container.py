"""A list and a dict that are replaced by longer ones, without a lock: an element of the other thread is lost."""

import threading


class Registry:
    def __init__(self) -> None:
        self.handlers: list[str] = []
        self.routes: dict[str, str] = {}

    def add_handler(self, name: str) -> None:
        self.handlers = [*self.handlers, name]  # race: list

    def add_route(self, name: str) -> None:
        self.routes = {**self.routes, name: name}  # race: dict


registry = Registry()


def worker(name: str) -> None:
    registry.add_handler(name)
    registry.add_route(name)


threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
