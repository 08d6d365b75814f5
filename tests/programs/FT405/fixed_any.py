"""Each step of the iterator is under a lock."""

import threading

rows = iter(range(100))
lock = threading.Lock()


def work() -> None:
    while True:
        with lock:
            row = next(rows, None)
        if row is None:
            return


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
