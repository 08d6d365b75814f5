"""Threads that redirect standard output and restore it, one at a time."""

import os
import tempfile
import threading

lock = threading.Lock()


def capture() -> None:
    for _ in range(20):
        with lock, tempfile.TemporaryFile() as file:
            saved = os.dup(1)
            os.dup2(file.fileno(), 1)
            os.write(1, b"captured")
            os.dup2(saved, 1)
            os.close(saved)


threads = [threading.Thread(target=capture) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
