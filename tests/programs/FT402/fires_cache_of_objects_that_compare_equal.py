"""A cache of objects that are compared by what they have, and that may change: one of two is lost."""

import dataclasses

from ftsan.testing import in_turns


@dataclasses.dataclass
class Account:
    name: str
    balance: int = 0

    def __hash__(self) -> int:
        return hash(self.name)


@dataclasses.dataclass(frozen=True)
class Holder:
    accounts: list[Account] = dataclasses.field(default_factory=list)


accounts: dict[str, Account] = {}
holders: dict[str, Holder] = {}


def open_account() -> None:
    if "a" not in accounts:  # race: account
        accounts["a"] = Account("a")  # race: account


def hold() -> None:
    if "a" not in holders:  # race: holder
        holders["a"] = Holder()  # race: holder


in_turns(open_account, open_account)
in_turns(hold, hold)
