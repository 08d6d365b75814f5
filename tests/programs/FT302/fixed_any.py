"""A worker has a callback added in the thread of the reactor."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred

deferred = Deferred()


def worker() -> None:
    reactor.callFromThread(deferred.addCallback, lambda _: reactor.stop())
    reactor.callFromThread(deferred.callback, 42)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()
