"""Only the code of one package is watched, not the program itself.

OPTIONS: --races a_module_of_counters
"""

import threading

import a_module_of_counters as counters

total = 0


def unwatched() -> None:
    global total
    total += 1


def worker() -> None:
    unwatched()
    counters.increment()  # race


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
