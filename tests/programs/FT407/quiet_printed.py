"""Threads print into files, one that they share and their own; sys.stdout is only read.

UNSEEN: accesses
"""

import io
import os
import threading

shared = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def worker() -> None:
    own = io.StringIO()
    for number in range(20):
        print("line", number, file=own)
        print("line", number, file=shared, flush=True)
        print(end="")
    assert own.getvalue().count("\n") == 20


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
shared.close()
