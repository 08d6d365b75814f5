"""One iterator given to list, sum and a comprehension by two threads.

The threads take turns, so that no interpreter crashes of it.
"""

from ftsan.testing import in_turns

rows = list(range(10))
one, two, three = iter(rows), iter(rows), iter(rows)


def consume() -> None:
    list(one)  # race: list
    sum(two)  # race: sum
    [row for row in three]  # race: comprehension


in_turns(consume, consume)
