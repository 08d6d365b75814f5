"""A program that aborts.

verdict: unknown
says: os.abort
"""

import os
import threading


def worker() -> None:
    os.abort()


thread = threading.Thread(target=worker, name="worker")
thread.start()
thread.join()
