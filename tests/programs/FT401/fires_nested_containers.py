"""A counter deep inside a structure that was made by one thread."""

import threading


class Account:
    def __init__(self) -> None:
        self.table = {"users": {"anna": [0]}}


account = Account()


def worker() -> None:
    account.table["users"]["anna"][0] += 1  # race


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
