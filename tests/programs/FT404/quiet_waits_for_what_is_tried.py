"""Loops that wait by an exception, by a comprehension, until nothing is left, by the size of a queue, or for a file.

ALSO: FT407
"""

import os
import queue
import tempfile
import threading
import time


class State:
    result: list[int]
    is_done = False


KINDS = 9
state = State()
workers = [State(), State()]
table: dict[str, list[int]] = {}
pending, jobs, running = {0, 1}, [1, 2], {"job": 1}
finished: queue.SimpleQueue[int] = queue.SimpleQueue()
folder = tempfile.mkdtemp()
left: list[list[int]] = [[1] for _ in range(KINDS)]


def work() -> None:
    def sort() -> None:
        left[next(number)].sort()

    number = iter(range(KINDS))
    sort()
    table["result"] = [1]
    sort()
    state.result = [1]
    sort()
    for worker in workers:
        worker.is_done = True
    sort()
    pending.discard(0)
    pending.discard(1)
    sort()
    jobs.clear()
    sort()
    del running["job"]
    sort()
    finished.put(1)
    sort()
    with open(os.path.join(folder, "opened"), "w"):
        pass
    sort()
    with open(os.path.join(folder, "temporary"), "w") as file:
        file.write("done")
    os.rename(os.path.join(folder, "temporary"), os.path.join(folder, "renamed"))


def wait_for_result() -> list[int]:
    while True:
        try:
            return state.result
        except AttributeError:
            time.sleep(0)


threading.Thread(target=work).start()
while True:
    try:
        table["result"]
        break
    except KeyError:
        time.sleep(0)
left[0].sort(reverse=True)
wait_for_result()
left[1].sort(reverse=True)
while not all([worker.is_done for worker in workers]):
    pass
left[2].sort(reverse=True)
while pending:
    time.sleep(0)
left[3].sort(reverse=True)
while len(jobs) > 0:
    time.sleep(0)
left[4].sort(reverse=True)
while "job" in running:
    time.sleep(0)
left[5].sort(reverse=True)
while finished.qsize() < 1:
    pass
left[6].sort(reverse=True)
while not os.path.exists(os.path.join(folder, "opened")):
    time.sleep(0)
left[7].sort(reverse=True)
while not os.path.isfile(os.path.join(folder, "renamed")):
    time.sleep(0)
left[8].sort(reverse=True)
