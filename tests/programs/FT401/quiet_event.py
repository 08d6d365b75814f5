"""One thread updates, sets an event; the other one waits for it and updates, one event after another."""

import threading
from types import SimpleNamespace

events = [threading.Event() for _ in range(50)]
shared = SimpleNamespace(n=0)


def worker(me: int) -> None:
    for number, event in enumerate(events):
        if number % 2 == me:
            shared.n += 1
            event.set()
        else:
            event.wait()


threads = [threading.Thread(target=worker, args=(me,)) for me in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 50
