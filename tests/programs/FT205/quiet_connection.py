"""A connection with one sender beside one receiver, and one that threads use under a lock."""

import multiprocessing.connection
import threading

ours, theirs = multiprocessing.Pipe()
lock = threading.Lock()


def echo() -> None:
    while (message := theirs.recv()) is not None:
        theirs.send(message)


def ask(number: int) -> None:
    for _ in range(50):
        with lock:
            ours.send(number)
            assert ours.recv() == number


threads = [threading.Thread(target=echo), *(threading.Thread(target=ask, args=(number,)) for number in range(3))]
for thread in threads:
    thread.start()
for thread in threads[1:]:
    thread.join()
receiver = threading.Thread(target=lambda: [ours.recv() for _ in range(20)])
receiver.start()
for number in range(20):
    ours.send(number)
receiver.join()
ours.send(None)
threads[0].join()
