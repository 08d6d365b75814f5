"""`if not q.empty(): q.get_nowait()`: the queue locks each of the two, so that all is ordered and nothing atomic."""

import contextlib
import queue
import threading

jobs: queue.Queue[int] = queue.Queue()
for number in range(3):
    jobs.put(number)


def worker() -> None:
    with contextlib.suppress(queue.Empty):
        if not jobs.empty():  # maybe
            jobs.get_nowait()  # race


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
