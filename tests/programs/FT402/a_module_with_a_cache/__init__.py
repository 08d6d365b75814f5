"""A module with a cache, imported by a program of this folder."""

_parsed: dict[str, list[str]] = {}


def parsed(text: str) -> list[str]:
    """The words of this text."""
    if text not in _parsed:
        _parsed[text] = text.split()
    return _parsed[text]
