"""A value is fetched and reset in two steps: two threads may get it."""

from ftsan.testing import in_turns


class Account:
    credits = 7


account = Account()
spent: list[int] = []


def spend() -> None:
    credits = account.credits  # race
    account.credits = 0  # race
    spent.append(credits)


in_turns(spend, spend)
