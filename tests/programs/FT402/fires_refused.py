"""A name that must not be given twice: nothing keeps two threads from finding it free, although the values are constants."""

import contextlib

from ftsan.testing import in_turns

ports: dict[str, int] = {}


class Registry:
    owner: str | None = None

    def claim(self, name: str) -> None:
        if self.owner is not None:  # maybe: owner
            raise RuntimeError(self.owner)
        self.owner = name  # race: owner


def register(name: str, port: int) -> None:
    if name in ports:  # maybe: ports
        raise ValueError(name)
    ports[name] = port  # race: ports


def attempt(name: str, port: int) -> None:
    with contextlib.suppress(ValueError):
        register(name, port)


def claim(name: str) -> None:
    with contextlib.suppress(RuntimeError):
        registry.claim(name)


registry = Registry()
in_turns(lambda: attempt("web", 80), lambda: attempt("web", 8080))
in_turns(lambda: claim("one"), lambda: claim("two"))
