"""A weakref callback runs when nobody has the object any more: all that others did to the object's state was before."""

import functools
import gc
import threading
import weakref

sums: list[int] = []


class Handle:
    def __init__(self) -> None:
        self.uses = [0, 0]


def finish(uses: list[int], gone: object) -> None:
    uses[0] += uses[1]
    uses[1] = 0
    sums.append(uses[0])


class Finisher:
    def __init__(self, uses: list[int]) -> None:
        self.uses = uses

    def finish(self, gone: object) -> None:
        finish(self.uses, gone)

    def __call__(self, gone: object) -> None:
        finish(self.uses, gone)


def worker(me: int, handles: list[Handle]) -> None:
    while handles:
        handle = handles.pop()
        handle.uses[me] += 1
        del handle


handles = [Handle() for _ in range(300)]
references: list[object] = []
for handle in handles[:60]:
    references.append(weakref.ref(handle, lambda gone, uses=handle.uses: finish(uses, gone)))
for handle in handles[60:120]:
    references.append(weakref.ref(handle, functools.partial(finish, handle.uses)))
for handle in handles[120:180]:
    references.append(weakref.ref(handle, Finisher(handle.uses).finish))
for handle in handles[180:240]:
    references.append(weakref.ref(handle, Finisher(handle.uses)))
for handle in handles[240:]:
    references.append(weakref.proxy(handle, functools.partial(finish, handle.uses)))
del handle
threads = [threading.Thread(target=worker, args=(me, list(handles))) for me in (0, 1)]
del handles
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
assert sums == [2] * 300
