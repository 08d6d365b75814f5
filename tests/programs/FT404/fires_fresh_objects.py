"""Two threads each put an object of their own into one place: equal, but not the same, and mutable."""

import threading


class Client:
    def __init__(self) -> None:
        self.rows: list[int] = []

    def reset(self) -> None:
        self.rows = []  # race


client = Client()
threads = [threading.Thread(target=client.reset) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
