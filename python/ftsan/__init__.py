"""ftsan, the sanitizer for free-threaded Python.

Most programs are watched from outside: ``ftsan run app.py`` or ``pytest --ftsan``.  An embedder calls :func:`enable`.

Readable by any Python 3, whose ``python -m ftsan`` is refused in one line: annotations that it could not evaluate are strings.

PYTEST_DONT_REWRITE: workers of pytest-xdist import this before pytest, which would warn about it.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, TypeVar
    from weakref import ref

    F = TypeVar("F", bound=Callable[..., Any])

    #: As in the metadata of the distribution.
    __version__: str

__all__ = ["Misuse", "declare", "enable", "expect", "is_enabled", "norace"]


def __getattr__(name: str) -> str:
    """``__version__``, which the native module knows: most who import this do not ask, and it is not theirs to load."""
    if name == "__version__":
        from ._native import __version__

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Misuse(RuntimeError):
    """Raised in the offending thread, before the state is touched, when ``on_finding`` is ``raise``."""


def enable(options: str = "") -> None:
    """Start watching this process and the ones it forks.

    :param options: as in the environment variable ``FTSAN_OPTIONS``: ``key=value:key=value``.
    :raises ValueError: an option or the suppression file is wrong; one line that says what.
    :raises RuntimeError: this interpreter cannot be watched, or is watched already.
    """
    from . import process

    process.enable(options)


def declare(
    type_: str,
    *,
    owner: str,
    methods: str = "",
    thread_safe: str = "",
    hand_overs: str = "",
    rule: str = "FT106",
) -> None:
    """Teach ftsan a type whose methods belong to one loop or one thread.

    May be called before or after :func:`enable`, and does nothing in a process that is not watched.  The type is
    looked up when the program imports its module; if it is not there then, the report says so.

    :param type_: ``"module:Class"``, as in ``"aiohttp:ClientSession"``.
    :param owner: how to find whose an object is: ``"attribute:NAME"`` (it has its loop there), ``"first-use"`` (the
        first running loop that touches it), ``"thread"`` (the thread that made it), ``"hub"`` (the thread that uses it
        first), ``"loop"`` (it is a loop).
    :param methods: names, separated by spaces, of what only the owner may call; all public methods of the class if empty.
    :param thread_safe: names of what anybody may call, whatever it calls in turn.
    :param hand_overs: the same, for what makes the owner call something.
    :param rule: what a misuse is reported as.
    :raises ValueError: the declaration is wrong; one line that says what.
    """
    from . import _native

    declaration = (type_, owner, rule, methods.split(), thread_safe.split(), hand_overs.split())
    _native.check_declaration(declaration)
    from .watch import declared

    declared.add(declaration)


#: Given to :func:`norace` before the watching began.
_not_raced: "set[ref[Any]]" = set()


def norace(function: "F") -> "F":
    """Do not watch this function for data races, nor what is defined in it: a decorator, like Go's ``//go:norace``.

    Misuse of loops, futures and descriptors in it is reported as ever.  Does nothing in a process that is not watched.

    :raises TypeError: this is no function that is written in Python.
    """
    if type(function) is not type(norace):
        raise TypeError(f"norace takes a function that is written in Python, not {type(function).__name__}")
    if "ftsan.process" in sys.modules and is_enabled():
        from . import _native

        _native.leave_unpatched(function)
    else:
        from _weakref import ref

        _not_raced.add(ref(function, _not_raced.discard))
    return function


def expect(*rules: str) -> "AbstractContextManager[None]":
    """Misuse that a test makes on purpose: ``with ftsan.expect("FT105"): ...``, with several rules any of them.

    pytest's plugin blames it on nobody then.  With ``--on-finding=raise`` the block ends at the misuse.  In a process that is not
    watched nothing is expected.

    :raises ValueError: no such rule.
    :raises AssertionError: when the block ends, if nothing of the kind was found in it.
    """
    from .expectation import Expectation

    return Expectation(rules)


def is_enabled() -> bool:
    """Whether this process is being watched."""
    from . import process

    return process.is_enabled()
