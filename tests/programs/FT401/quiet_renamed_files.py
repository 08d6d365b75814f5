"""A file that is renamed is taken by one thread, which gives it back by another rename."""

import os
import tempfile
import threading
import time


class Count:
    value = 0


count = Count()
path = os.path.join(tempfile.mkdtemp(), "token")
with open(path, "w"):
    pass


def worker() -> None:
    own = f"{path}.{threading.get_ident()}"
    for _ in range(10):
        while True:
            try:
                os.rename(path, own)
                break
            except FileNotFoundError:
                time.sleep(0.0005)
        count.value += 1
        os.replace(own, path)


threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert count.value == 30
