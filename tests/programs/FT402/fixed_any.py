"""The check and what it decides are under one lock, or one step."""

import threading


class Cache:
    def __init__(self) -> None:
        self.pool: object = None
        self.lock = threading.Lock()
        self.known: dict[int, list[int]] = {}


cache = Cache()


def work() -> None:
    with cache.lock:
        if cache.pool is None:
            cache.pool = object()
    for key in range(10):
        cache.known.setdefault(key, [])


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
