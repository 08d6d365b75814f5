"""A method is asked whether something is there; the one that makes it looks again under a lock.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Service:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._is_started = False
        self._count = 0
        self.starts: list[int] = []

    def is_started(self) -> bool:
        return self._is_started

    @property
    def count(self) -> int:
        return self._count

    def start(self) -> None:
        with self.lock:
            if self._is_started:
                return
            self.starts.append(1)
            self._is_started = True

    def hit(self) -> None:
        with self.lock:
            self._count += 1

    def serve(self) -> None:
        if not self.is_started():
            self.start()
        if self.count > 100:
            self.starts.append(2)
        self.hit()


service = Service()
in_turns(service.serve, service.serve)
