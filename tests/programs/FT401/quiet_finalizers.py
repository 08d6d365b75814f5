"""`__del__` runs when nobody has the object any more, in whichever thread: all that others did to it was before."""

import gc
import threading

sums: list[int] = []


class Resource:
    def __init__(self) -> None:
        self.uses = [0, 0]

    def __del__(self) -> None:
        self.uses[0] += self.uses[1]
        self.uses[1] = 0
        sums.append(self.uses[0])


def worker(me: int, resources: list[Resource]) -> None:
    while resources:
        resource = resources.pop()
        resource.uses[me] += 1
        del resource


resources = [Resource() for _ in range(300)]
threads = [threading.Thread(target=worker, args=(me, list(resources))) for me in (0, 1)]
del resources
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
assert sums == [2] * 300
