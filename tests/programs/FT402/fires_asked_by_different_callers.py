"""A function answers whether something is there, and another one puts it there: each thread has a caller of its own around both."""

from ftsan.testing import in_turns

cache: dict[str, list[str]] = {}


def has(key: str) -> bool:
    return key in cache  # race: cache


def put(key: str) -> None:
    cache[key] = [key]  # race: cache


def get(key: str) -> list[str]:
    if not has(key):
        put(key)
    return cache[key]


def from_one_side() -> None:
    get("a")


def from_the_other() -> None:
    get("a")


in_turns(from_one_side, from_the_other)
