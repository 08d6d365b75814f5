"""What is measured before it is changed: the second thread finds too little, because the first one came before it."""

from ftsan.testing import in_turns


class Account:
    def __init__(self) -> None:
        self.balance = 100
        self.refills = {"daily": 3}

    def withdraw(self, amount: int) -> bool:
        if self.balance < amount:  # maybe: balance
            return False
        self.balance -= amount  # race: balance
        return True

    def refill(self) -> None:
        if self.refills["daily"] > 2:  # maybe: refills
            self.refills["daily"] -= 1  # race: refills


account = Account()
in_turns(lambda: account.withdraw(80), lambda: account.withdraw(30))
in_turns(account.refill, account.refill)
