"""A dataclass whose method counts."""

import threading
from dataclasses import dataclass, field


@dataclass
class Job:
    tries: int = 0
    log: list[str] = field(default_factory=list)

    def attempt(self) -> None:
        self.tries += 1  # race


job = Job()
threads = [threading.Thread(target=job.attempt) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
