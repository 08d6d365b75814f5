"""A worker has the reactor stopped in its own thread."""

from twisted.internet import reactor


def worker() -> None:
    reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()
