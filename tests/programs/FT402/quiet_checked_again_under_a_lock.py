"""A check without the lock, then the same check with it, in the same function and in another one; and a look that decides nothing.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns

lock = threading.Lock()


class Service:
    started: object = None
    client: object = None

    def is_ready(self) -> bool:
        return self.started is not None

    def start(self) -> None:
        with lock:
            if not self.is_ready():
                self.started = object()

    def get(self) -> object:
        client = self.client
        if client is None:
            with lock:
                client = self.client
                if client is None:
                    client = self.client = object()
        return client


service, table = Service(), dict[str, int]()


def fill() -> None:
    if "k" not in table:
        with lock:
            if "k" not in table:
                table["k"] = 1


def worker() -> None:
    if not service.is_ready():
        service.start()
    service.get()
    fill()


in_turns(worker, worker)
