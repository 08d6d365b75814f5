"""Files opened by one thread and closed by others, and a number closed twice by one thread."""

import contextlib
import os
import queue
import threading

files: queue.SimpleQueue[int] = queue.SimpleQueue()


def worker() -> None:
    while (fd := files.get()) >= 0:
        os.read(fd, 1)
        os.close(fd)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(300):
    files.put(os.open("/dev/zero", os.O_RDONLY))
for _ in threads:
    files.put(-1)
for thread in threads:
    thread.join()

fd = os.open("/dev/null", os.O_RDONLY)
os.close(fd)
with contextlib.suppress(OSError):
    os.close(fd)
