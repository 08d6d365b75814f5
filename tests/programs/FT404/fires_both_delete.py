"""Two threads delete the same attribute, and the second one fails with AttributeError."""

import contextlib

from ftsan.testing import run


class Token:
    def __init__(self) -> None:
        self.is_free = True


def take() -> None:
    del token.is_free  # race: it


token = Token()
with contextlib.suppress(AttributeError):
    run(take, take)
