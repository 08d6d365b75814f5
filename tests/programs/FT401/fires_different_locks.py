"""Each thread holds a lock, but not the same one."""

import threading


class Stats:
    hits = 0


stats = Stats()


def hit() -> None:
    stats.hits += 1  # race


def worker(lock: threading.Lock) -> None:
    for _ in range(100):
        with lock:
            hit()


threads = [threading.Thread(target=worker, args=(threading.Lock(),)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
