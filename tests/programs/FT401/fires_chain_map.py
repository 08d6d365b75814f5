"""A number is counted up in the first dictionary of a ChainMap."""

from collections import ChainMap

from ftsan.testing import in_turns

counts: ChainMap[str, int] = ChainMap({"a": 0}, {"b": 0})


def count() -> None:
    counts["a"] += 1  # race


in_turns(count, count)
