"""A worker waits for what a queue of the reactor's thread has for it."""

from twisted.internet import reactor, threads
from twisted.internet.defer import DeferredQueue

queue: DeferredQueue[int] = DeferredQueue()


def worker() -> None:
    assert threads.blockingCallFromThread(reactor, queue.get) == 42
    reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.callLater(0, queue.put, 42)
reactor.run()
