"""The standard output is redirected by one thread at a time."""

import os
import threading

lock = threading.Lock()


def redirect() -> None:
    with lock, open(os.devnull, "w") as log:
        saved = os.dup(1)
        os.dup2(log.fileno(), 1)
        os.dup2(saved, 1)
        os.close(saved)


threads = [threading.Thread(target=redirect) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
