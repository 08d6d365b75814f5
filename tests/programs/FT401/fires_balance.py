"""Money is withdrawn after a look at the balance: the test is one half of the mistake, the subtraction another one.

ALSO: FT402
"""

import threading


class Account:
    def __init__(self) -> None:
        self.balance = 100

    def withdraw(self, amount: int) -> None:
        if self.balance >= amount:  # maybe
            self.balance -= amount  # race


account = Account()
threads = [threading.Thread(target=account.withdraw, args=(10,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
