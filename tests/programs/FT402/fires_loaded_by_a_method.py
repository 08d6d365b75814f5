"""Loaded on demand by a function of its own, which puts something elsewhere before it says that it is loaded: two may do so.

ALSO: FT406 FT407
"""

from ftsan.testing import in_turns


class Settings:
    def __init__(self) -> None:
        self.is_loaded = False
        self.values: dict[str, object] = {}

    def load(self) -> None:
        self.values["a"] = object()
        self.is_loaded = True  # race: method

    def get(self) -> object:
        if not self.is_loaded:  # race: method
            self.load()
        return self.values["a"]


class Registry:
    is_filled = False

    def __init__(self) -> None:
        self.items: list[object] = []

    def fill(self) -> None:
        for _ in range(3):
            self.items.append(object())
        self.is_filled = True  # race: returned early

    def ensure(self) -> None:
        if self.is_filled:  # race: returned early
            return
        self.fill()


is_ready = False
plugins: list[object] = []


def discover() -> None:
    global is_ready
    plugins.append(object())
    is_ready = True  # race: global


def get_plugins() -> list[object]:
    if not is_ready:  # race: global
        discover()
    return plugins


settings, registry = Settings(), Registry()
in_turns(settings.get, settings.get)
in_turns(registry.ensure, registry.ensure)
in_turns(get_plugins, get_plugins)
