"""A worker has a delayed call cancelled in the thread of the reactor."""

from twisted.internet import reactor

call = reactor.callLater(60, int)


def worker() -> None:
    reactor.callFromThread(call.cancel)
    reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()
