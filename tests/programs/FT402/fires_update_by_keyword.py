"""A key that is missing is filled in by ``update``, with its name as a keyword or in a dictionary."""

from ftsan.testing import in_turns

settings: dict[str, object] = {}
options: dict[str, object] = {}


def made() -> object:
    if "client" not in settings:  # maybe: settings
        settings.update(other=1, client=object())  # race: settings
    return settings["client"]  # maybe: settings


def merged() -> object:
    if "client" not in options:  # maybe: options
        options.update({"client": object()})  # race: options
    return options["client"]  # maybe: options


in_turns(made, made)
in_turns(merged, merged)
