"""The standard library's ways with its own locks, and those of programs with theirs around it."""

import concurrent.futures
import io
import logging
import queue
import tempfile
import threading

lock = threading.Lock()
logging.basicConfig(stream=io.StringIO(), level=logging.INFO)
log = logging.getLogger("program")

jobs: queue.Queue[int] = queue.Queue(maxsize=2)
drained = threading.Condition(jobs.mutex)
counted = threading.Condition(threading.Lock())
both = threading.Barrier(2)
permits = threading.BoundedSemaphore(2)
count = 0


def produce() -> None:
    for number in range(20):
        with lock:
            log.info("job %d", number)
        jobs.put(number)
    both.wait()


def consume() -> None:
    global count
    for _ in range(20):
        number = jobs.get()
        with counted:
            count += 1
            counted.notify_all()
            log.info("done %d", number)
        jobs.task_done()
        with drained:
            drained.notify()
    both.wait()


def limited(number: int) -> int:
    with permits, lock:
        with tempfile.TemporaryFile() as file:
            file.write(b"1")
        return number


threads = [threading.Thread(target=work) for work in (produce, consume)]
for thread in threads:
    thread.start()
with drained:
    drained.wait_for(lambda: not jobs.queue, 1)
with counted:
    counted.wait_for(lambda: count == 20)
for thread in threads:
    thread.join()

done = threading.Event()
timer = threading.Timer(0.01, done.set)
timer.start()
with lock:
    done.wait()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    with lock:
        futures = [pool.submit(limited, number) for number in range(40)]
    futures += [pool.submit(pool.submit, limited, number) for number in range(5)]
    concurrent.futures.wait(futures)
    for future in concurrent.futures.as_completed(futures):
        future.result()
    assert list(pool.map(limited, range(20))) == list(range(20))
