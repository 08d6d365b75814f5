"""Two iterators of one `itertools.tee`, a thread each: the documentation of tee says that they are not thread-safe.

What the two share is in C, where nobody looks.  The threads take turns, so that no interpreter crashes of it.
"""

import itertools
from collections.abc import Iterator

from ftsan.testing import in_turns

one, two = itertools.tee(iter(range(10)))


def advance(branch: Iterator[int]) -> None:
    next(branch)  # race


in_turns(lambda: advance(one), lambda: advance(two))
