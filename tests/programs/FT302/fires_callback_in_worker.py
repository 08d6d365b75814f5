"""A worker fires a Deferred whose callbacks are the reactor's business, whether it was made before or while the reactor ran."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred

before = Deferred[None]()
before.addCallback(lambda result: result)


def worker(meanwhile: Deferred[None]) -> None:
    before.callback(None)  # offending: callback
    meanwhile.callback(None)  # offending: callback
    reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(lambda: reactor.callInThread(worker, Deferred()))
reactor.run()  # owner
