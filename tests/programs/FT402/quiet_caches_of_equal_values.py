"""Caches that anybody fills with what anybody would: equal, immutable values.  Computing twice is all that can happen."""

import datetime
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple


class Page:
    def __init__(self, path: str) -> None:
        self.path = path
        self._slug: str | None = None
        self._parts: tuple[str, ...] | None = None

    @property
    def slug(self) -> str:
        if self._slug is None:
            self._slug = self.path.strip("/").replace("/", "-")
        return self._slug

    def parts(self) -> tuple[str, ...]:
        if not self._parts:
            self._parts = tuple(self.path.split("/"))
        return self._parts


class Size(NamedTuple):
    width: int
    unit: str | None


#: Types of the standard library that are written in C or made of tuples.
MAKERS: dict[str, Callable[[], Any]] = {
    "complex": lambda: complex(1, 2),
    "date": lambda: datetime.date(2026, 12, 1),
    "decimal": lambda: Decimal("1.5"),
    "moment": lambda: datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC),
    "named": lambda: Size(1, None),
    "range": lambda: range(3),
    "within": lambda: ("a", None),
}
made: dict[str, Any] = {}
names, squares, page = dict[int, str](), dict[int, int](), Page("/a/b")


def worker() -> None:
    for number in range(50):
        if number not in names:
            names[number] = str(number)
        if squares.get(number) is None:
            squares[number] = number * number
        for name, make in MAKERS.items():
            if name not in made:
                made[name] = make()
        assert (page.slug, len(page.parts())) == ("a-b", 3)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
