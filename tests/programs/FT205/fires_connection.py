"""Two threads that receive from one end of a pipe of multiprocessing: each gets what the other one waits for."""

import multiprocessing.connection
import threading

from ftsan.testing import wait_until_blocked

ours, theirs = multiprocessing.Pipe(duplex=False)


def worker() -> None:
    ours.recv()  # offending: recv  # owner


readers = [threading.Thread(target=worker) for _ in range(2)]
for thread in readers:
    thread.start()
    wait_until_blocked(thread)
theirs.send("first")
theirs.send("second")
for thread in readers:
    thread.join()
