"""Updates that are made by C functions, and one whose reading half is."""

import bisect
import collections
import operator
from typing import Any

from ftsan.testing import in_turns


class Account:
    balance = 0


account = Account()
words: collections.Counter[str] = collections.Counter()
ordered = [1, 5]


def worker() -> None:
    account.balance = operator.attrgetter("balance")(account) + 1  # race: attribute
    collections.Counter.update(words, "ab")  # race: counted
    bisect.insort(ordered, 3)  # race: ordered
    insert: Any = bisect.insort_left
    insert(ordered, 2)  # maybe: ordered


in_turns(worker, worker)
