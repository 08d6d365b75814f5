"""Two locks taken one inside the other, by one thread this way round and by another one that way."""

import threading


class Account:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 0


def transfer(source: Account, target: Account) -> None:
    with source.lock, target.lock:
        source.balance -= 1
        target.balance += 1


mine, yours = Account(), Account()
for name, accounts in (("there", (mine, yours)), ("back", (yours, mine))):
    thread = threading.Thread(target=transfer, args=accounts, name=name)
    thread.start()
    thread.join()
