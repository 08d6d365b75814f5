"""Two threads delete the same attribute, one of them finds it there, and the other one's exception is handled: as with ``pop``."""

import contextlib

from ftsan.testing import run


class Token:
    def __init__(self) -> None:
        self.is_free = True


def take() -> None:
    for token in tokens:
        try:
            del token.is_free
        except AttributeError:
            taken.append(None)


def drop() -> None:
    for token in tokens:
        with contextlib.suppress(AttributeError):
            del token.is_free


tokens, taken = [Token() for _ in range(200)], []
run(take, drop)
