"""Threads that are waited for by counting them, and tasks by asking a queue how many are not done."""

import queue
import threading
import time


class Result:
    value = 0


results = [Result() for _ in range(3)]
others = threading.active_count()


def write(result: Result) -> None:
    result.value = 1


for result in results:
    threading.Thread(target=write, args=(result,)).start()
while threading.active_count() > others:
    time.sleep(0.001)
for result in results:
    result.value = 2

for result in results:
    threading.Thread(target=write, args=(result,)).start()
while len(threading.enumerate()) != others:
    time.sleep(0.001)
for result in results:
    result.value = 2

tasks: queue.Queue[Result] = queue.Queue()


def work() -> None:
    while True:
        write(tasks.get())
        tasks.task_done()


threading.Thread(target=work, daemon=True).start()
for result in results:
    tasks.put(result)
while tasks.unfinished_tasks:
    time.sleep(0.001)
for result in results:
    result.value = 2
