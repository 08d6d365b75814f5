"""One generator advanced by two threads: by next, by for and by send.

The threads take turns by a file, so that no interpreter crashes of it; nobody takes a file for order between threads.
"""

import os
import tempfile
import threading
import time


def numbers():  # noqa: ANN201
    yield from range(10)


by_next, by_for, by_send, expression = numbers(), numbers(), numbers(), (number for number in range(10))


def advance() -> None:
    next(by_next)  # race: next
    for _ in by_for:  # race: for
        break
    by_send.send(None)  # race: send
    next(expression, None)  # race: expression


def worker(waits_for: str, then: str) -> None:
    while not os.path.exists(waits_for):
        time.sleep(0.001)
    advance()
    os.mkdir(then)


with tempfile.TemporaryDirectory() as folder:
    first, second, done = folder, os.path.join(folder, "second"), os.path.join(folder, "done")
    threads = [threading.Thread(target=worker, args=args) for args in ((first, second), (second, done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
