"""`__del__` runs when nobody has the object any more, in whichever thread: it needs no lock."""

import gc
import threading

lock = threading.Lock()
sums: list[int] = []


class Resource:
    def __init__(self) -> None:
        self.uses = 0
        self.log = ["made"]

    def __del__(self) -> None:
        self.uses += 1
        if self.log:
            self.log.pop()
        sums.append(self.uses)


def worker(resources: list[Resource]) -> None:
    while resources:
        resource = resources.pop()
        with lock:
            resource.uses += 1
            resource.log.append("used")
        del resource


resources = [Resource() for _ in range(300)]
threads = [threading.Thread(target=worker, args=(list(resources),)) for _ in range(2)]
del resources
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
assert sums == [3] * 300
