"""multiprocessing.Pipe between two threads of one process, in both forms."""

import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def worker(incoming: Connection, outgoing: Connection) -> None:
    for _ in range(20):
        incoming.recv()
        shared.n += 1
        outgoing.send("your turn")


first, second = Pipe()
(left, to_left), (right, to_right) = Pipe(duplex=False), Pipe(duplex=False)
for ends, start in ((((first, first), (second, second)), second), (((left, to_right), (right, to_left)), to_left)):
    threads = [threading.Thread(target=worker, args=pair) for pair in ends]
    for thread in threads:
        thread.start()
    start.send("your turn")
    for thread in threads:
        thread.join(60)
assert shared.n == 80
