"""Lazy attributes, memoised properties and caches that are looked up and filled under one lock."""

import threading


class Client:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._name: list[str] | None = None
        self.cache: dict[int, list[int]] = {}

    @property
    def name(self) -> list[str]:
        with self.lock:
            if self._name is None:
                self._name = ["client"]
            return self._name

    def square(self, number: int) -> list[int]:
        with self.lock:
            if number not in self.cache:
                self.cache[number] = [number * number]
            if len(self.cache) > 10:
                self.cache.popitem()
                del self.cache[next(iter(self.cache))]
            return self.cache.get(number, [])


def worker() -> None:
    for number in range(50):
        client.square(number)
        assert client.name


client = Client()
threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
