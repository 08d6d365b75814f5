"""A lock by the one entry of a dictionary: `setdefault` takes it if it is not there, `del` gives it back."""

import threading
import time

owners: dict[str, int] = {}
count = 0


def acquire() -> None:
    me = threading.get_ident()
    while owners.setdefault("owner", me) != me:
        time.sleep(0)


def release() -> None:
    del owners["owner"]


def worker() -> None:
    global count
    for _ in range(30):
        acquire()
        count += 1
        release()


threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert count == 90
