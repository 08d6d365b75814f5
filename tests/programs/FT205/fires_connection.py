"""Two threads that receive from one end of a pipe of multiprocessing, or of a pair of sockets: each gets the other's message."""

import multiprocessing.connection
import threading

from ftsan.testing import wait_until_blocked


def receive(ours: multiprocessing.connection.Connection, theirs: multiprocessing.connection.Connection) -> None:
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


receive(*multiprocessing.Pipe(duplex=False))


def receive_given(ours: multiprocessing.connection.Connection, theirs: multiprocessing.connection.Connection) -> None:
    readers = [threading.Thread(target=ours.recv) for _ in range(2)]
    for thread in readers:
        thread.start()  # offending: recv  # owner
        wait_until_blocked(thread)
    theirs.send("first")
    theirs.send("second")
    for thread in readers:
        thread.join()


receive_given(*multiprocessing.Pipe())
