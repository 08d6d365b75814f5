"""A value that is read and merged back into its dictionary, which is one operation: what another thread has merged is lost.

ALSO: FT407
"""

from ftsan.testing import in_turns

counts = {"hits": 0, "misses": 0}


class Settings:
    def __init__(self) -> None:
        self.values = {"round": 0}

    def turn(self) -> None:
        self.values |= {"round": self.values["round"] + 1}  # race: round


def hit() -> None:
    counts.update({"hits": counts["hits"] + 1})  # race: hits


settings = Settings()
in_turns(settings.turn, settings.turn)
in_turns(hit, hit)
