"""Calls that copy a container in one step, under its lock, while another thread changes it."""

import collections
import copy

from ftsan.testing import in_turns

table = {1: 1, 2: 2}
numbers = {1, 2}
items = [1, 2]
queue = collections.deque([1, 2])


def reader() -> None:
    for copied in (table.copy(), dict(table), {**table}, copy.copy(table)):
        assert len(copied) == 2
    for listed in (list(table), [*table], sorted(table), tuple(items), [*items], items[:], items.copy(), sorted(items)):
        assert len(listed) == 2
    assert list(table.values()) == [*table.keys()] and [*table.items()]
    assert len(set(numbers)) == len(frozenset(numbers)) == len(list(numbers)) == len(numbers | {1}) == 2
    assert len(queue.copy()) == len(copy.copy(queue)) == 2
    repr(table), repr(items), repr(numbers)
    result: dict[int, int] = {}
    result.update(table)
    [].extend(items)  # type: ignore[var-annotated]


def writer() -> None:
    table[3] = 3
    numbers.add(3)
    items.append(3)
    queue.append(3)


in_turns(reader, writer)
