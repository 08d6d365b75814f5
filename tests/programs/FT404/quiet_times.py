"""Several threads note what the clock says: one time is as good as another.

ALSO: FT407
"""

import threading
import time
from datetime import UTC, datetime

from ftsan.testing import in_turns


class Connection:
    def __init__(self) -> None:
        self.used = self.expires = 0.0
        self.seen = datetime.now(UTC)
        self.by_name = {"a": 0.0}

    def use(self, ttl: float) -> None:
        self.used = time.monotonic()
        self.expires = time.monotonic() + ttl
        self.seen = datetime.now(UTC)
        now = time.time()
        self.by_name["a"] = now


def serve(number: int) -> None:
    connection = connections[number] = Connection()
    for _ in range(10):
        connection.used = time.monotonic()
        connection.expires = time.monotonic() + 1


def watch() -> None:
    while not is_stopping.is_set():
        for connection in list(connections.values()):
            if time.monotonic() - connection.used > 1e9:
                print("idle")
        first = connections.get(0)
        if first is not None and first.expires < 0:
            print("expired")


connection = Connection()
in_turns(lambda: connection.use(1.0), lambda: connection.use(2.0))
connections: dict[int, Connection] = {}
is_stopping = threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
threads = [threading.Thread(target=serve, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
is_stopping.set()
watcher.join()
