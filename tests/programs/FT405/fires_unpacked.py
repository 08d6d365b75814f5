"""One iterator unpacked into a list by two threads, one after the other."""

from ftsan.testing import in_turns

shared = iter(list(range(10)))


def consume() -> None:
    assert len([*shared]) in (0, 10)  # race


in_turns(consume, consume)
