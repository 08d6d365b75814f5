"""One function that locks what it is given in the order it is given, in two threads."""

import contextlib
import threading


class Account:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 0


def transfer(source: Account, target: Account) -> None:
    with source.lock, target.lock:  # offending: acquired B while holding A
        source.balance -= 1
        target.balance += 1


def audit(accounts: list[Account]) -> int:
    with contextlib.ExitStack() as held:
        for account in accounts:
            held.enter_context(account.lock)  # offending: acquired B while holding A
        return sum(account.balance for account in accounts)


mine, yours, theirs = Account(), Account(), Account()
for work, arguments in (
    (transfer, (mine, yours)),
    (transfer, (yours, mine)),
    (audit, ([yours, theirs],)),
    (audit, ([theirs, yours],)),
):
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    thread.join()
