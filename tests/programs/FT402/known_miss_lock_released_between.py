"""Test and act each hold the lock, but not the same turn of it: everything is ordered, and two pools are made all the same."""

import threading


class Client:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pool: list[int] | None = None

    def connect(self) -> None:
        with self.lock:
            is_missing = self.pool is None  # maybe
        if is_missing:
            with self.lock:
                self.pool = []  # race


client = Client()
threads = [threading.Thread(target=client.connect) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
