"""Loaded on demand by a function of its own, under a lock: looked at once more there, or from the start; and closed by one thread.

ALSO: FT407
"""

import threading
from concurrent.futures import ThreadPoolExecutor


class Settings:
    def __init__(self) -> None:
        self.is_loaded = False
        self.lock = threading.Lock()
        self.values: dict[str, object] = {}

    def load(self) -> None:
        self.values["a"] = object()
        self.is_loaded = True

    def get(self) -> object:
        if not self.is_loaded:
            with self.lock:
                if not self.is_loaded:
                    self.load()
        return self.values["a"]


is_ready = False
plugins: list[object] = []
lock = threading.RLock()


def discover() -> None:
    global is_ready
    plugins.append(object())
    is_ready = True


def get_plugins() -> list[object]:
    with lock:
        if not is_ready:
            discover()
        return list(plugins)


class Service:
    """The main thread alone closes it; others only look."""

    def __init__(self) -> None:
        self.is_closed = False
        self.notes: list[int] = []

    def note(self, number: int) -> None:
        if self.is_closed:
            raise RuntimeError
        self.notes.append(number)

    def close(self) -> None:
        self.notes.append(-1)
        self.is_closed = True


settings, service = Settings(), Service()
with ThreadPoolExecutor(4) as pool:
    for _ in range(20):
        pool.submit(settings.get)
        pool.submit(get_plugins)

threads = [threading.Thread(target=service.note, args=(number,)) for number in range(3)]
service.note(3)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
service.close()
assert len(plugins) == 1
assert len(service.notes) == 5
