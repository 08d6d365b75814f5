"""A worker of the reactor's own thread pool schedules a call."""

from twisted.internet import reactor


def worker() -> None:
    reactor.callLater(0, int)  # offending: callLater
    reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()  # owner
