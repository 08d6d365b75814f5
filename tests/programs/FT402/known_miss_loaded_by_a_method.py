"""Loaded on demand by a method that puts something elsewhere before it says that it is loaded: two threads may both load.

Each thing that is put into a container is handed over, so that what comes after it belongs to another epoch than the check.
ALSO: FT406, FT407
"""

from ftsan.testing import in_turns


class Settings:
    def __init__(self) -> None:
        self.is_loaded = False
        self.values: dict[str, object] = {}

    def load(self) -> None:
        self.values["a"] = object()
        self.is_loaded = True  # race

    def get(self) -> object:
        if not self.is_loaded:  # race
            self.load()
        return self.values["a"]


settings = Settings()
in_turns(settings.get, settings.get)
