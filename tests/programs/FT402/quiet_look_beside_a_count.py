"""A count is looked at without the lock that it is counted under: the look decides something else.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Hits:
    def __init__(self) -> None:
        self.count, self.lock = 0, threading.Lock()

    def hit(self) -> None:
        if self.count > 1000:
            print("many")
        with self.lock:
            self.count += 1


hits = Hits()
in_turns(hits.hit, hits.hit)
