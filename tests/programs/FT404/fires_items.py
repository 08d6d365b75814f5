"""Two threads that write different values to one key or index.

threadsafety.rst calls `d[key] = value` safe: nothing is corrupted.  Which value remains is up to the scheduler, hence a warning.
"""

import threading
from array import array

table, rows, data, samples = {"a": ""}, [""], bytearray(1), array("d", [0.0])


def worker(name: str, number: int) -> None:
    table["a"] = name  # race: dict
    table["new"] = name  # race: new key
    rows[0] = name  # race: list
    data[0] = number  # race: bytearray
    samples[0] = number / 2  # race: array


threads = [threading.Thread(target=worker, args=args) for args in (("a", 1), ("b", 2))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
