"""A caller that handles whatever goes wrong, or something else, or is far from the call, or asks for nothing, expects no lack.

What is put is not missing, whoever handles that.
"""

import contextlib

from ftsan.testing import in_turns

jobs, others, distant, unasked, cache = [1], [1], [1], [1], {}


def take() -> int | None:
    if jobs:  # race: jobs
        return jobs.pop()  # race: jobs
    return None


def for_all() -> None:
    try:
        print(take())
    except Exception:
        print("something went wrong")


def take_other() -> int | None:
    if others:  # race: others
        return others.pop()  # race: others
    return None


def for_another() -> None:
    with contextlib.suppress(OSError):
        print(take_other())


def take_distant() -> int | None:
    if distant:  # race: distant
        return distant.pop()  # race: distant
    return None


def handle() -> int | None:
    return take_distant()


def from_far() -> None:
    try:
        print(handle())
    except LookupError:
        print("not found")


def take_unasked() -> int | None:
    if unasked:  # race: unasked
        return unasked.pop()  # race: unasked
    return None


def for_nothing() -> None:
    try:
        take_unasked()
    except IndexError:
        print("never")


def get(name: str) -> object:
    if name not in cache:  # race: cache
        cache[name] = object()  # race: cache
    return cache[name]


def by_name() -> None:
    try:
        print(get("a"))
    except KeyError:
        print("never")


in_turns(for_all, for_all)
in_turns(for_another, for_another)
in_turns(from_far, from_far)
in_turns(for_nothing, for_nothing)
in_turns(by_name, by_name)
