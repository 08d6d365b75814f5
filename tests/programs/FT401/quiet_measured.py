"""A loop that looks how far others have come, and counts under a lock; and a limit that is looked at again under the lock.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Progress:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.done = 0
        self.used = 0

    def work(self) -> None:
        while self.done < 10:
            with self.lock:
                self.done += 1

    def use(self) -> None:
        if self.used < 1:
            with self.lock:
                if self.used < 1:
                    self.used += 1


progress = Progress()
in_turns(progress.work, progress.work)
in_turns(progress.use, progress.use)
