"""A table that is there before it is filled, by a function that refuses a name given twice: it looks like a cache.

ALSO: FT402 FT407
"""

from ftsan.testing import in_turns

languages: dict[str, str] | None = None


def collect() -> None:
    global languages
    languages = {}
    for name in ("one", "two", "three"):
        if name in languages:
            raise ValueError(name)
        languages[name] = name.upper()  # race: languages


def ask() -> str:
    if languages is None:
        collect()
    assert languages is not None
    return languages.get("three", "unknown")  # race: languages


in_turns(ask, ask)
