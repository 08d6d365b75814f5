"""A `__getstate__` leaves the lock out and gives away the rest, which pickle goes through: no hook sees what it returns."""

import pickle
import threading
from typing import Any

from ftsan.testing import in_turns


class Model:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows = [1]

    def __getstate__(self) -> dict[str, Any]:
        with self.lock:
            state = self.__dict__.copy()
        del state["lock"]
        return state

    def add(self) -> None:
        with self.lock:
            self.rows.append(1)  # race


model = Model()
in_turns(model.add, lambda: pickle.dumps(model))  # race
