"""All objects of a class have one dictionary for their attributes: threads with objects of their own count in the same one."""

from typing import Any, ClassVar

from ftsan.testing import run


class Settings:
    shared: ClassVar[dict[str, Any]] = {"hits": 0}
    hits: int

    def __init__(self) -> None:
        self.__dict__ = self.shared


def hit() -> None:
    settings = Settings()
    for _ in range(20):
        settings.hits += 1  # race: hits


run(hit, hit)
