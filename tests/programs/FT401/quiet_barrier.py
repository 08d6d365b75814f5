"""Phases between which all threads meet at a Barrier: in each, one of them updates; its action does, too."""

import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0, phases=0)


def next_phase() -> None:
    shared.phases += 1
    shared.n += 1


barrier = threading.Barrier(3, action=next_phase)


def worker(me: int) -> None:
    for phase in range(30):
        if phase % 3 == me:
            shared.n += 1
        barrier.wait()


threads = [threading.Thread(target=worker, args=(me,)) for me in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert (shared.n, shared.phases) == (60, 30)
