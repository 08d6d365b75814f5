"""Iterating and changing under one lock, also by way of a Condition, and a lock for a loop in a generator."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator

lock = threading.RLock()
changed = threading.Condition(lock)
sessions: OrderedDict[int, str] = OrderedDict()
history: deque[int] = deque(maxlen=20)


def recent() -> Iterator[int]:
    with lock:
        yield from history


def reader() -> None:
    with changed:
        changed.wait_for(lambda: len(sessions) > 10)
        for number, name in sessions.items():
            assert str(number) == name
    assert sum(recent()) >= 0


def writer() -> None:
    for number in range(50):
        with changed:
            sessions[number] = str(number)
            sessions.move_to_end(number, last=False)
            history.append(number)
            changed.notify_all()


threads = [threading.Thread(target=target) for target in (reader, writer, reader)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
