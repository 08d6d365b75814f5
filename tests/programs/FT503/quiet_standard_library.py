"""Threads that wait for each other by conditions, queues, events, barriers, executors and imports."""

import concurrent.futures
import importlib
import queue
import threading
import time

jobs: queue.Queue[int | None] = queue.Queue(2)
fast: queue.SimpleQueue[int] = queue.SimpleQueue()
ready = threading.Condition()
plain = threading.Condition(threading.Lock())
go, both = threading.Event(), threading.Barrier(2)
is_ready = is_plain = False


def worker() -> None:
    global is_ready, is_plain
    go.wait()
    while jobs.get() is not None:
        fast.put(1)
    with ready:
        is_ready = True
        ready.notify()
    with plain:
        is_plain = True
        plain.notify_all()
    both.wait()
    importlib.import_module("json.tool")


thread = threading.Thread(target=worker)
thread.start()
go.set()
for number in (1, 2, 3, None):
    jobs.put(number)
for _ in range(3):
    fast.get()
with ready:
    ready.wait_for(lambda: is_ready)
    assert not ready.wait(0.001)
with plain:
    plain.wait_for(lambda: is_plain)
both.wait()
importlib.import_module("json.tool")
thread.join()
with concurrent.futures.ThreadPoolExecutor(3) as pool:
    futures = [pool.submit(time.sleep, 0.001) for _ in range(20)]
    for future in concurrent.futures.as_completed(futures, timeout=5):
        future.result()
