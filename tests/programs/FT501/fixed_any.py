"""Both threads take the locks in one order."""

import threading


class Account:
    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = threading.Lock()


def transfer(source: Account, target: Account) -> None:
    first, second = sorted((source, target), key=lambda account: account.number)
    for _ in range(100):
        with first.lock, second.lock:
            pass


a, b = Account(1), Account(2)
threads = [threading.Thread(target=transfer, args=pair) for pair in ((a, b), (b, a))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
