"""Double-checked locking: the first look is without the lock, the second one and the write are under it.

ALSO: FT407
"""

import threading

lock = threading.Lock()
tables: dict[str, list[str]] = {}


class Client:
    pool: list[str] | None = None

    def get_pool(self) -> list[str]:
        if self.pool is None:
            with lock:
                if self.pool is None:
                    self.pool = ["connection"]
        return self.pool

    def get_table(self, name: str) -> list[str]:
        if name not in tables:
            with lock:
                if name not in tables:
                    tables[name] = [name]
        return tables[name]


def worker() -> None:
    for name in "abc":
        assert client.get_pool() and client.get_table(name) == [name]


client = Client()
threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
