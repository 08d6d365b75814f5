"""Two threads would give the same answer, whichever comes first; or they take the place under a lock.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Settings:
    level: str | None = None
    leader: str | None = None


settings, lock = Settings(), threading.Lock()
names: dict[int, str] = {}


def configure(level: str) -> None:
    if settings.level is None:
        settings.level = level


def remember(key: int, name: str) -> str:
    if key not in names:
        names[key] = name
    return names[key]


def campaign(name: str) -> None:
    with lock:
        if settings.leader is None:
            settings.leader = name


def one() -> None:
    configure("INFO")
    remember(1, "one")
    campaign("one")


def other() -> None:
    configure("".join(["IN", "FO"]))
    remember(1, "o" + "ne")
    campaign("other")


in_turns(one, other)
