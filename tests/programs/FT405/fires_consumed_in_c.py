"""Iterators that two threads advance through functions and syntax that work on them in C, and through `__next__`."""

import collections
import io
import itertools

from ftsan.testing import in_turns

sliced, called, dunder, teed, zipped, deep, mapped, filled = (iter(list(range(40))) for _ in range(8))


def consume() -> None:
    list(itertools.islice(sliced, 3))  # race: sliced
    print(*called, file=io.StringIO())  # race: called
    dunder.__next__()  # race: dunder
    list(itertools.tee(teed)[0])  # race: teed
    list(zip(zipped, "abc", strict=False))  # race: zipped
    collections.deque(deep, 0)  # race: deep
    list(map(str, mapped))  # race: mapped
    [].extend(filled)  # type: ignore[var-annotated]  # race: filled


in_turns(consume, consume)
