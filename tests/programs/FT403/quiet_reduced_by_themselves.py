"""Objects that say themselves, under their lock, what is encoded of them, and what json hands to the program to encode."""

from __future__ import annotations

import collections
import copyreg
import json
import pickle
import threading
from typing import Any

from ftsan.testing import in_turns


class Model:
    def __init__(self, rows: tuple[int, ...] = ()) -> None:
        self.lock = threading.Lock()
        self.rows = list(rows)

    def copied(self) -> tuple[int, ...]:
        with self.lock:
            return tuple(self.rows)

    def add(self) -> None:
        with self.lock:
            self.rows.append(1)


class WithState(Model):
    def __getstate__(self) -> dict[str, Any]:
        return {"rows": self.copied()}


class Reduced(Model):
    def __reduce__(self) -> tuple[Any, ...]:
        return Reduced, (self.copied(),)


class ReducedByProtocol(Model):
    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return ReducedByProtocol, (self.copied(),)


class Registered(Model):
    pass


class Rows(list[int]):
    lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        with self.lock:
            return Rows, (self.copy(),)

    def add(self) -> None:
        with self.lock:
            self.append(1)


class Table(dict[int, int]):
    def items(self) -> Any:
        return self.copy().items()

    def add(self) -> None:
        self[2] = 1


class Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return o.copied()


copyreg.pickle(Registered, lambda model: (Registered, (model.copied(),)))
pickled = [WithState(), Reduced(), ReducedByProtocol(), Registered(), Rows(), Table()]
encoded, numbers, found = Model(), {1}, collections.Counter("a")


def write() -> None:
    for model in pickled:
        model.add()
    encoded.add()
    numbers.add(2)
    found["b"] = 1


def read() -> None:
    for model in pickled:
        pickle.dumps(model)
    json.dumps([encoded], default=Model.copied)
    json.dumps({"model": encoded}, cls=Encoder)
    json.dumps(numbers, default=sorted)
    json.dumps(pickled[-1])
    # It reduces itself to a dict that it makes in one step.
    pickle.dumps(found)


in_turns(read, write, read, write)
