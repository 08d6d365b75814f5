"""A worker has a port opened in the thread of the reactor, and gets it."""

from twisted.internet import protocol, reactor, threads


def worker() -> None:
    factory = protocol.Factory.forProtocol(protocol.Protocol)
    port = threads.blockingCallFromThread(reactor, reactor.listenTCP, 0, factory, interface="127.0.0.1")
    threads.blockingCallFromThread(reactor, port.stopListening)
    reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()
