"""Dictionaries that are merged into another one without a look at it, or with a look and a lock."""

import threading

from ftsan.testing import in_turns

lock = threading.Lock()
known: dict[str, int] = {}
counts = {"hits": 0}


def learn(name: str, number: int) -> None:
    known.update({name: number, "last": number})


def hit() -> None:
    with lock:
        counts.update({"hits": counts["hits"] + 1})


in_turns(lambda: learn("one", 1), lambda: learn("two", 2))
in_turns(hit, hit)
