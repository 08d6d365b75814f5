"""A descriptor keeps what it has made in the dictionary of the object, and so does a method by `vars`."""

import threading
from typing import Any


class Lazy:
    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, owner: Any, kind: type) -> list[int]:
        if self.name not in owner.__dict__:  # maybe: descriptor
            owner.__dict__[self.name] = [1]  # race: descriptor
        found: list[int] = owner.__dict__[self.name]
        return found


class Report:
    rows = Lazy()

    def columns(self) -> list[int]:
        if "made" not in vars(self):  # maybe: vars
            vars(self)["made"] = [2]  # race: vars
        found: list[int] = vars(self)["made"]
        return found


report = Report()


def worker() -> None:
    assert report.rows == [1]
    assert report.columns() == [2]


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
