"""An object can be had before it is complete, from a function that does not see that.

ALSO: FT407
"""

from ftsan.testing import Meeting, run


class Config:
    routes: dict[str, int] | None = None


class Holder:
    config: Config | None = None


holder = Holder()
published, seen = Meeting(), Meeting()


def fill(config: Config) -> None:
    config.routes = {"a": 1}  # race


def first() -> None:
    config = holder.config = Config()  # maybe
    published.join(0)
    seen.join(0)
    fill(config)


def get() -> Config | None:
    if holder.config is not None:  # maybe
        return holder.config
    return None


def late() -> None:
    published.join(1)
    config = get()
    assert config is not None
    assert config.routes is None  # race
    seen.join(1)


run(first, late)
