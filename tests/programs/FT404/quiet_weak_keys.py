"""A weak dictionary drops the entry of an object that is gone in whichever thread let go of it last.

OPTIONS: --races all
"""

import threading
import time
import weakref


class Handle:
    pass


notes: weakref.WeakKeyDictionary[Handle, list[int]] = weakref.WeakKeyDictionary()
handles: list[Handle] = []


def fill() -> None:
    handles.extend([Handle() for _ in range(100)])


def register(handles: list[Handle]) -> None:
    for handle in handles:
        notes[handle] = []


def let_go(handles: list[Handle]) -> None:
    time.sleep(0.3)
    while handles:
        handles.pop()


# An object whose thread has ended is gone where it is let go of.
maker = threading.Thread(target=fill)
maker.start()
maker.join()
threads = [threading.Thread(target=target, args=(list(handles),)) for target in (register, let_go)]
handles.clear()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(notes) == 0
