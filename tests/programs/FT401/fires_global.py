"""Counters in globals."""

import threading

total = 0
names = ""


def count() -> None:
    global total
    for _ in range(100):
        total += 1  # race: total


def collect() -> None:
    global names
    before = names  # maybe: names
    names = before + threading.current_thread().name  # race: names


def worker() -> None:
    count()
    collect()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
