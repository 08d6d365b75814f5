"""A worker has calls made in the thread of the reactor."""

from twisted.internet import reactor


def worker() -> None:
    reactor.callFromThread(reactor.callLater, 0, reactor.stop)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()
