"""A worker has a Deferred fired in the thread of the reactor."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred

deferred = Deferred()
deferred.addCallback(lambda _: reactor.stop())


def worker() -> None:
    reactor.callFromThread(deferred.callback, 42)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()
