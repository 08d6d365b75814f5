"""Counts that are added to a Counter as a whole: Python code of the standard library does so, which first reads and then writes."""

from collections import Counter

from ftsan.testing import in_turns


class Totals:
    def __init__(self) -> None:
        self.merged: Counter[str] = Counter()
        self.lowered: Counter[str] = Counter("ab")

    def merge(self, words: str) -> None:
        self.merged += Counter(words)  # race: in place
        self.lowered -= Counter(words)  # race: lowered


totals = Totals()
words, added, counted, named = (Counter[str]() for _ in range(4))


def worker() -> None:
    totals.merge("ab")
    words.update(["a"])  # race: words
    added.update({"a": 1})  # race: mapping
    counted.update(Counter("a"))  # race: counter
    named.update(a=1)  # race: names


in_turns(worker, worker)
