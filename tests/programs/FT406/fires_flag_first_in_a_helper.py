"""A helper sets its flag before the value that it says to be there; its caller reads the value.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Library:
    def __init__(self) -> None:
        self.is_ready, self.table, self.lock = False, None, threading.Lock()

    def load(self) -> None:
        if not self.is_ready:
            with self.lock:
                if not self.is_ready:
                    self.is_ready = True
                    self.table = [1]  # race

    def get(self) -> list[int] | None:
        self.load()
        return self.table  # race


library = Library()
in_turns(library.get, library.get)
