"""Money is withdrawn after a look at the balance, which is read once more to subtract from it."""

import threading


class Account:
    def __init__(self) -> None:
        self.balance = 100

    def withdraw(self, amount: int) -> None:
        if self.balance >= amount:  # race
            self.balance -= amount  # race


account = Account()
threads = [threading.Thread(target=account.withdraw, args=(10,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
