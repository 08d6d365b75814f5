"""A ChainMap writes to its first dictionary."""

from collections import ChainMap

from ftsan.testing import in_turns

settings: ChainMap[str, object] = ChainMap({}, {"level": 1})


def made() -> object:
    if "client" not in settings:  # race
        settings["client"] = object()  # race
    return settings["client"]  # maybe


in_turns(made, made)
