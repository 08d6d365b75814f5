"""One generator advanced by two threads: by next, by for and by send.

The threads take turns, so that no interpreter crashes of it.
"""

from ftsan.testing import in_turns


def numbers():  # noqa: ANN201
    yield from range(10)


by_next, by_for, by_send, expression = numbers(), numbers(), numbers(), (number for number in range(10))


def advance() -> None:
    next(by_next)  # race: next
    for _ in by_for:  # race: for
        break
    by_send.send(None)  # race: send
    next(expression, None)  # race: expression


in_turns(advance, advance)
