"""An object is there before it is complete, and a function that gives it away does not see that."""

from ftsan.testing import in_turns


class Config:
    routes: dict[str, int] | None = None


class Holder:
    config: Config | None = None


holder = Holder()


def fill(config: Config) -> None:
    config.routes = {"a": 1}  # race


def first() -> None:
    if holder.config is None:
        holder.config = Config()
        fill(holder.config)


def get() -> Config | None:
    if holder.config is not None:
        return holder.config
    return None


def late() -> None:
    config = get()
    assert config is not None
    assert config.routes  # race


in_turns(first, late)
