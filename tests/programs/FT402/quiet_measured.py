"""What is measured and changed under one lock, and what is measured by its only writer."""

import threading

from ftsan.testing import in_turns


class Account:
    def __init__(self) -> None:
        self.balance = 100
        self.lock = threading.Lock()
        self.sizes = dict.fromkeys("ab", 0)

    def withdraw(self, amount: int) -> bool:
        with self.lock:
            if self.balance < amount:
                return False
            self.balance -= amount
            return True

    def grow(self, name: str) -> None:
        if self.sizes[name] < 10:
            self.sizes[name] += 1


account = Account()
in_turns(lambda: account.withdraw(80), lambda: account.withdraw(30))
in_turns(lambda: account.grow("a"), lambda: account.grow("b"))
