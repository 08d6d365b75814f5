"""A second publication while a reader still goes by the first flag is no late completion of the first (loguru 0.7.3, `remove`).

ALSO: FT407
"""

import os
import tempfile
import threading
import time


class Core:
    level = 0
    handlers: tuple[int, ...] = ()


core = Core()


def wait_for(folder: str) -> None:
    while not os.path.exists(folder):  # which nobody takes for order between threads
        time.sleep(0.001)


def remove(seen: str, done: str) -> None:
    core.level = 20
    core.handlers = (1, 2)
    wait_for(seen)
    core.level = 10
    core.handlers = (1,)
    os.mkdir(done)


def log(seen: str, done: str) -> None:
    while True:
        if core.handlers:
            break
        time.sleep(0.001)
    os.mkdir(seen)
    wait_for(done)
    assert core.level == 10


with tempfile.TemporaryDirectory() as folder:
    seen, done = os.path.join(folder, "seen"), os.path.join(folder, "done")
    threads = [threading.Thread(target=target, args=(seen, done)) for target in (remove, log)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
