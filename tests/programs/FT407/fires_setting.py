"""A setting is read by one thread and replaced by another one: an attribute, an item, a global."""

import threading


class Settings:
    level = 1


settings, table = Settings(), {"level": 1}
limit = 1


def read_limit() -> int:
    return limit  # race: global


def write_limit() -> None:
    global limit
    limit = 2  # race: global


def reader() -> None:
    assert settings.level in (1, 2)  # race: attribute
    assert table["level"] in (1, 2)  # race: item
    assert read_limit() in (1, 2)


def writer() -> None:
    settings.level = 2  # race: attribute
    table["level"] = 2  # race: item
    write_limit()


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
