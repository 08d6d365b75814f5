"""Room is looked for under a lock, or by the only thread that adds: others may take out, and ask how much there is.

ALSO: FT407
"""

import threading
from collections import deque

from ftsan.testing import in_turns


class Pool:
    def __init__(self) -> None:
        self.idle: list[object] = []
        self.jobs: deque[int] = deque()
        self.lock = threading.Lock()

    def put(self, connection: object) -> None:
        with self.lock:
            if len(self.idle) < 1:
                self.idle.append(connection)

    def produce(self) -> None:
        for job in range(8):
            if len(self.jobs) < 4:
                self.jobs.append(job)

    def consume(self) -> None:
        while self.jobs:
            try:
                self.jobs.popleft()
            except IndexError:
                return

    def is_busy(self) -> bool:
        return len(self.jobs) > 2


pool = Pool()
in_turns(lambda: pool.put(object()), lambda: pool.put(object()))
in_turns(pool.produce, pool.consume, pool.is_busy)
