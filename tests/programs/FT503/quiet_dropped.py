"""Locks that are dropped while they are held, and new ones in their place."""

import threading

made: set[int] = set()


def drop() -> None:
    for _ in range(200):
        lock = threading.Lock()
        made.add(id(lock))
        lock.acquire()


def use() -> None:
    for _ in range(200):
        lock = threading.Lock()
        made.add(id(lock))
        with lock:
            pass


for _ in range(3):
    threads = [threading.Thread(target=work) for work in (drop, use)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
