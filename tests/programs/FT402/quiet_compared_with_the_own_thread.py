"""`if self.owner == get_ident()`: only the thread itself writes its own number, so it needs no lock to ask for it.

ALSO: FT407
"""

import threading
from threading import current_thread, get_ident


class Lock:
    """May be acquired again by the thread that has it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner: int | None = None
        self.holder: threading.Thread | None = None
        self.of_task: tuple[str, int] | None = None
        self.count = 0

    def acquire(self, me: int, task: tuple[str, int]) -> None:
        if self.owner == me or get_ident() == self.owner or self.of_task == task:
            self.count += 1
            return
        if self.holder is current_thread() or self.owner == threading.current_thread().ident:
            raise AssertionError
        self.lock.acquire()
        self.owner, self.holder, self.of_task = me, current_thread(), task
        self.count = 1

    def release(self) -> None:
        self.count -= 1
        if self.count == 0:
            self.owner = self.holder = self.of_task = None
            self.lock.release()


lock = Lock()


def worker() -> None:
    for _ in range(50):
        me = get_ident()
        lock.acquire(me, ("thread", me))
        lock.acquire(me, ("thread", me))
        lock.release()
        lock.release()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
