"""The main thread changes what a thread will use before it starts that, and after its end."""

import threading

total = 0


class Stats:
    n = 0
    rows: list[int]


Stats.rows = []
box = {"n": 0}


class Worker(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.steps += 1

    def run(self) -> None:
        self.steps += 1
        work()


def work() -> None:
    global total
    total += 1
    Stats.n += 1
    Stats.rows.append(1)
    box["n"] += 1


work()
for _ in range(3):
    worker = Worker()
    work()
    worker.start()
    worker.join()
    work()
    worker.steps += 1
assert (total, Stats.n, box["n"], len(Stats.rows), worker.steps) == (10, 10, 10, 10, 3)
