"""Deferreds that threads use for themselves, hand on, or take over, without a reactor."""

import queue
import threading
from collections.abc import Generator

from twisted.internet.defer import Deferred, DeferredLock, inlineCallbacks, succeed

handed = queue.Queue[Deferred[int]]()


@inlineCallbacks
def steps() -> Generator[Deferred[int], int, int]:
    total = 0
    for number in range(5):
        total += yield succeed(number)
    return total


def own() -> None:
    for _ in range(200):
        deferred = Deferred[int]()
        deferred.addCallbacks(lambda result: result + 1)
        deferred.callback(1)
        results: list[int] = []
        steps().addCallback(results.append)
        assert results == [10]
        lock = DeferredLock()
        lock.run(lambda: 1)
        handed.put(Deferred())


def taker() -> None:
    for _ in range(800):
        deferred = handed.get()
        deferred.addCallback(lambda result: result)
        deferred.callback(1)


threads = [threading.Thread(target=own) for _ in range(4)] + [threading.Thread(target=taker)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# Back and forth, one at a time.
deferred = Deferred[int]()
for _ in range(10):
    thread = threading.Thread(target=lambda: deferred.addCallback(lambda result: result))
    thread.start()
    thread.join()
    deferred.addCallback(lambda result: result)
deferred.callback(1)
