"""An object can be had before it is complete, from a function that does not see that.

ALSO: FT407
"""

import threading

from ftsan.testing import wait_until


class Config:
    routes: dict[str, int] | None = None


class Holder:
    config: Config | None = None


holder = Holder()
seen: list[int] = []


def fill(config: Config) -> None:
    wait_until(lambda: seen)
    config.routes = {"a": 1}  # race


def first() -> None:
    config = holder.config = Config()
    fill(config)


def get() -> Config | None:
    if holder.config is not None:
        return holder.config
    return None


def late() -> None:
    wait_until(lambda: holder.__dict__)
    config = get()
    assert config is not None
    assert config.routes is None  # race
    seen.append(1)


threads = [threading.Thread(target=target) for target in (first, late)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
