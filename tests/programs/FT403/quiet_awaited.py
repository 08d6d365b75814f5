"""A thread that polls a container until everything is there has waited for those who put it there.

ALSO: FT407
"""

import threading
import time

NUMBER = 4
begun: list[int] = []
results: dict[str, int] = {}
names: set[str] = set()
go = threading.Event()


def worker(me: int) -> None:
    begun.append(me)
    go.wait()
    results[str(me)] = me
    names.add(str(me))


threads = [threading.Thread(target=worker, args=(me,)) for me in range(NUMBER)]
for thread in threads:
    thread.start()
for _ in range(10_000):
    if len(begun) >= NUMBER:
        break
    time.sleep(0.001)
assert sum(begun) == 6
begun.clear()
go.set()
while len(names) < NUMBER:
    time.sleep(0.001)
assert sum(results[key] for key in results) == 6
for thread in threads:
    thread.join()
