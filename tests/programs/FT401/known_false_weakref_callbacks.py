"""A weakref callback runs when nobody has the object any more: all that others did to the object's state was before.

Reported, because nothing says that a function is called as the callback of a weak reference (`__del__` is known by its name).
"""

import gc
import threading
import weakref

sums: list[int] = []


class Handle:
    def __init__(self) -> None:
        self.uses = [0, 0]


def finish(uses: list[int]) -> None:
    uses[0] += uses[1]
    uses[1] = 0
    sums.append(uses[0])


def worker(me: int, handles: list[Handle]) -> None:
    while handles:
        handle = handles.pop()
        handle.uses[me] += 1
        del handle


handles = [Handle() for _ in range(300)]
references = [weakref.ref(handle, lambda _, uses=handle.uses: finish(uses)) for handle in handles]
threads = [threading.Thread(target=worker, args=(me, list(handles))) for me in (0, 1)]
del handles
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
assert sums == [2] * 300
