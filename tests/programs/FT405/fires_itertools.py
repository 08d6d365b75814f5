"""One iterator of itertools advanced by two threads.

The threads take turns, so that no interpreter crashes of it.
"""

import itertools

from ftsan.testing import in_turns

part, joined, around = itertools.islice(range(10), 8), itertools.chain("abc", "def"), itertools.cycle("abc")
groups, (branch, _) = itertools.groupby("aabbcc"), itertools.tee("abcdef")
pairs, batches = itertools.product("ab", "cd"), itertools.batched("abcdef", 2, strict=False)


def advance() -> None:
    next(part)  # race: islice
    next(joined)  # race: chain
    next(around)  # race: cycle
    next(groups)  # race: groupby
    next(branch)  # race: tee
    next(pairs)  # race: product
    next(batches)  # race: batched


in_turns(advance, advance)
