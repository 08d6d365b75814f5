"""Counting in a dictionary whose class has a `__setitem__` of its own, which calls that of `dict`."""

from typing import Any

from ftsan.testing import in_turns


class Counts(dict[str, int]):
    def __setitem__(self, name: str, count: int) -> None:
        super().__setitem__(name, count)  # race


counts: Any = Counts(a=0)


def count() -> None:
    counts["a"] += 1  # maybe


in_turns(count, count)
