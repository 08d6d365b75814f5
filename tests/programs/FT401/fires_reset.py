"""One thread counts, the other one resets: the reset may be lost, or the count before it come back."""

import threading


class Window:
    def __init__(self) -> None:
        self.requests = 0
        self.by_user = {"anna": 0}

    def count(self) -> None:
        self.requests += 1  # race: attribute
        self.by_user["anna"] += 1  # race: item

    def reset(self) -> None:
        self.requests = 0  # race: attribute
        self.by_user["anna"] = 0  # race: item


window = Window()
threads = [threading.Thread(target=target) for target in (window.count, window.reset)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
