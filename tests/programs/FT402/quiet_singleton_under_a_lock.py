"""A singleton in a class attribute and one in a global, made by whoever asks first, under a lock."""

import threading

lock = threading.Lock()


class Client:
    instance: Client | None = None

    @classmethod
    def get(cls) -> Client:
        with lock:
            if cls.instance is None:
                cls.instance = cls()
            return cls.instance


_default: Client | None = None


def default() -> Client:
    global _default
    with lock:
        if _default is None:
            _default = Client()
        return _default


def worker() -> None:
    for _ in range(20):
        assert Client.get() is not default()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
