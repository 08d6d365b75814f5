"""ftsan, the sanitizer for free-threaded Python.

Most programs are watched from outside: ``ftsan run app.py`` or ``pytest --ftsan``.  An embedder calls :func:`enable`.

PYTEST_DONT_REWRITE: workers of pytest-xdist import this before pytest, which would warn about it.
"""

__all__ = ["Misuse", "enable", "is_enabled"]


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


def is_enabled() -> bool:
    """Whether this process is being watched."""
    from . import process

    return process.is_enabled()
