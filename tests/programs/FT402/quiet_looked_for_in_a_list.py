"""Each thread looks for what nobody else adds.

ALSO: FT407
"""

import threading

workers: list[int] = []


def worker() -> None:
    if threading.get_ident() not in workers:
        workers.append(threading.get_ident())


threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
