"""A function raises for another reason, or its caller handles whatever goes wrong: nobody expects what the container raises."""

import contextlib

from ftsan.testing import in_turns

leases, seats = {"a": 1, "b": 2}, {"a": 1, "b": 2}


def release(name: str) -> None:
    if not name:
        raise ValueError("no name")
    if name in leases:  # race: leases
        leases.pop(name)  # race: leases


def leave(name: str) -> None:
    if not name:
        raise KeyError("no name")
    if name in seats:  # race: seats
        seats.pop(name)  # race: seats


def by_name() -> None:
    with contextlib.suppress(ValueError):
        release("a")


def whatever_happens() -> None:
    try:
        leave("a")
    except Exception as error:
        print(error)


in_turns(by_name, by_name)
in_turns(whatever_happens, whatever_happens)
