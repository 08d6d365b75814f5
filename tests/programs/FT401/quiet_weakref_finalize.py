"""weakref.finalize runs when nobody has the object any more: what it does to the object's state comes last."""

import gc
import threading
import weakref
from types import SimpleNamespace

lock = threading.Lock()
sums: list[int] = []


class Handle:
    def __init__(self) -> None:
        self.state = SimpleNamespace(uses=0)
        weakref.finalize(self, finish, self.state)


def finish(state: SimpleNamespace) -> None:
    state.uses += 1
    sums.append(state.uses)


def worker(handles: list[Handle]) -> None:
    while handles:
        handle = handles.pop()
        with lock:
            handle.state.uses += 1
        del handle


handles = [Handle() for _ in range(300)]
threads = [threading.Thread(target=worker, args=(list(handles),)) for _ in range(2)]
del handles
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
assert sums == [3] * 300
