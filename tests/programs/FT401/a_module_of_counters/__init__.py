"""A module whose globals are counters, imported by programs of this folder."""

calls = 0
internal = 0


def increment() -> None:
    """Count, in this module."""
    global internal
    internal += 1
