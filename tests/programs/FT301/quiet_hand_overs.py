"""Everything that Twisted has for threads, and a reactor that is prepared before it runs."""

import threading
import time
from collections.abc import Generator
from typing import Any

from twisted.internet import reactor, task, threads
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, succeed

prepared = reactor.callLater(60, int)
reactor.addSystemEventTrigger("before", "shutdown", int)
prepared.reset(30)


def ask() -> int:
    return 1


def in_reactor_later() -> Deferred[int]:
    deferred = Deferred[int]()
    reactor.callLater(0, deferred.callback, 2)
    return deferred


def worker() -> int:
    assert threads.blockingCallFromThread(reactor, ask) == 1
    assert threads.blockingCallFromThread(reactor, in_reactor_later) == 2
    reactor.callFromThread(reactor.callLater, 0, int)
    reactor.wakeUp()
    # A clock of its own belongs to the thread.
    clock = task.Clock()
    timer = clock.callLater(1, int)
    timer.reset(2)
    clock.callLater(3, int)
    clock.advance(2.5)
    # So does a Deferred that nobody else sees.
    mine = Deferred[int]()
    mine.addCallback(lambda result: result)
    mine.callback(succeed(3))
    return 4


@inlineCallbacks
def main() -> Generator[Deferred[Any], Any]:
    prepared.cancel()
    assert (yield threads.deferToThread(worker)) == 4
    results = yield DeferredList([threads.deferToThread(worker) for _ in range(8)])
    assert [result for _, result in results] == [4] * 8
    fired = Deferred[int]()
    threading.Thread(target=lambda: (time.sleep(0.01), reactor.callFromThread(fired.callback, 5))).start()
    assert (yield fired) == 5
    reactor.stop()


reactor.callWhenRunning(main)
reactor.run()
