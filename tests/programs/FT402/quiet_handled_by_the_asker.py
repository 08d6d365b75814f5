"""A function looks and takes, and its caller, which asks for what it took, handles by name that there was nothing.

ALSO: FT407
"""

import contextlib
import functools
from collections.abc import Callable, Iterator

from ftsan.testing import in_turns

jobs, wrapped, named, ignored, grouped = ([*range(6)] for _ in range(5))
owners = {"a": 1}


def take() -> int | None:
    return jobs.pop() if jobs else None


def by_caller() -> int | None:
    try:
        return take()
    except IndexError:
        return None


def safe(function: Callable[..., int | None]) -> Callable[..., int | None]:
    @functools.wraps(function)
    def wrapper(*arguments: object) -> int | None:
        try:
            return function(*arguments)
        except LookupError:
            return None

    return wrapper


@safe
def take_wrapped() -> int | None:
    if wrapped:
        return wrapped.pop()
    return None


def by_lambda() -> None:
    pop = lambda: named.pop() if named else None  # noqa: E731
    while True:
        try:
            if pop() is None:
                break
        except IndexError:
            break


@contextlib.contextmanager
def ignoring(*kinds: type[BaseException]) -> Iterator[None]:
    try:
        yield
    except kinds:
        print("nothing")


def by_manager() -> None:
    while ignored:
        with ignoring(KeyError, IndexError):
            ignored.pop()


def by_group() -> None:
    while grouped:
        try:
            grouped.pop()
        except* IndexError:
            print("nothing")


def release(name: str) -> bool:
    if name in owners:
        del owners[name]
        return True
    return False


def by_manager_of_caller() -> bool:
    with ignoring(KeyError):
        return release("a")
    return False


in_turns(by_caller, by_caller)
in_turns(take_wrapped, take_wrapped)
in_turns(by_lambda, by_lambda)
in_turns(by_manager, by_manager)
in_turns(by_group, by_group)
in_turns(by_manager_of_caller, by_manager_of_caller)
