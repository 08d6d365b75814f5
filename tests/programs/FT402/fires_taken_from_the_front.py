"""A part of a list is read and then deleted: two threads take the same one, and another one is lost."""

from ftsan.testing import in_turns

queue = list(range(10))
sent: list[list[int]] = []


def flush() -> None:
    batch = queue[:3]  # race
    del queue[:3]  # race
    sent.append(batch)


in_turns(flush, flush)
