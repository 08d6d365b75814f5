"""`lockf` excludes other processes and no thread of this one: the second thread gets the lock that the first one has (fcntl(2))."""

import fcntl
import tempfile
import threading


class Count:
    value = 0


count = Count()
both = threading.Barrier(2)


def worker(path: str) -> None:
    with open(path, "r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        both.wait()
        count.value += 1  # race
        fcntl.lockf(file, fcntl.LOCK_UN)


with tempfile.NamedTemporaryFile() as file:
    threads = [threading.Thread(target=worker, args=(file.name,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
