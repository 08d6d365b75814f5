"""A cache that two threads may fill with equal objects of classes of Python code, which nobody changes."""

import dataclasses
import fractions
import ipaddress
import pathlib
import uuid
from collections.abc import Callable
from typing import Any

from ftsan.testing import in_turns


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: int = 0
    home: pathlib.Path | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    start: Point
    end: Point


cache: dict[str, Any] = {}
makers: dict[str, Callable[[], Any]] = {
    "fraction": lambda: fractions.Fraction(1, 3),
    "address": lambda: ipaddress.ip_address("192.0.2.1"),
    "network": lambda: ipaddress.ip_network("192.0.2.0/24"),
    "address 6": lambda: ipaddress.ip_address("2001:db8::1"),
    "path": lambda: pathlib.Path("/tmp") / "x",
    "id": lambda: uuid.UUID(int=7),
    "point": lambda: Point(1),
    "line": lambda: Line(Point(1), Point(2, home=pathlib.Path("x"))),
}


def get(name: str) -> Any:
    if name not in cache:
        cache[name] = makers[name]()
    return cache[name]


def get_all() -> None:
    for name in makers:
        get(name)


in_turns(get_all, get_all)
