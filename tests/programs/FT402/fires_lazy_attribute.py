"""An attribute that is made when it is first asked for: two threads may make two."""

import threading


class Client:
    def __init__(self) -> None:
        self._pool: list[object] | None = None
        self._cache: dict[str, object] | None = None

    @property
    def pool(self) -> list[object]:
        if self._pool is None:  # maybe: pool
            self._pool = []  # race: pool
        return self._pool

    def cache(self) -> dict[str, object]:
        if not self._cache:  # maybe: cache
            self._cache = {"client": self}  # race: cache
        return self._cache


client = Client()


def worker() -> None:
    client.pool.append(object())
    client.cache()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
