"""Containers that an expression walks over in C, element by element, while another thread changes them."""

import collections
import copy
import io

from ftsan.testing import in_turns

called, unpacked, taken, united, searched, made, keyed, copied, joined = ({1: 1, 2: 2} for _ in range(9))
spread, counted, shown, summed = (collections.deque([1, 2]) for _ in range(4))


def reader() -> None:
    print(*called, file=io.StringIO())  # race: called
    _first, *_rest = unpacked  # race: unpacked
    assert [*spread]  # race: spread
    collections.deque(taken)  # race: taken
    set().update(united.items())  # race: united
    assert 3 not in searched.values()  # race: searched
    dict(made.items())  # race: made
    collections.Counter(counted)  # race: counted
    dict.fromkeys(keyed.values())  # race: keyed
    repr(shown)  # race: shown
    copy.deepcopy(copied)  # race: copied
    sum(summed)  # race: summed
    ",".join(map(str, joined))  # race: joined


def writer() -> None:
    called[3] = 3  # race: called
    unpacked[3] = 3  # race: unpacked
    spread.append(3)  # race: spread
    taken[3] = 3  # race: taken
    united[3] = 3  # race: united
    searched[3] = 3  # race: searched
    made[3] = 3  # race: made
    counted.append(3)  # race: counted
    keyed[3] = 3  # race: keyed
    shown.append(3)  # race: shown
    copied[3] = 3  # race: copied
    summed.append(3)  # race: summed
    joined[3] = 3  # race: joined


in_turns(reader, writer)
