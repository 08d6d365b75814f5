"""One thread has ended and was joined before the other one imports something and looks at what the first one has left.

An import orders nothing else, of a module that ftsan has waited for either.
"""

import threading
import time

table: dict[int, int] = {}
begun = threading.Barrier(2)


def fills() -> None:
    begun.wait()
    for number in range(100):
        table[number] = number  # race


def imports() -> None:
    begun.wait()
    time.sleep(0.05)
    import multiprocessing.connection  # noqa: F401

    for _ in table:  # race
        pass


threads = [threading.Thread(target=target) for target in (fills, imports)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
