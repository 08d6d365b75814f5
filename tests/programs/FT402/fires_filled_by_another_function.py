"""A function looks whether something is there, and has another one put it there."""

from ftsan.testing import in_turns


class Client:
    pool: list[int] | None = None


client = Client()
cache: dict[str, list[str]] = {}


def put(key: str) -> None:
    cache[key] = [key]  # race: cache


def get(key: str) -> None:
    if key not in cache:  # race: cache
        put(key)


def connect() -> None:
    client.pool = [1]  # race: pool


def use() -> None:
    if client.pool is None:  # race: pool
        connect()


def work() -> None:
    get("a")
    use()


in_turns(work, work)
