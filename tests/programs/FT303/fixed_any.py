"""A worker has bytes written, and the connection closed, in the thread of the reactor."""

from twisted.internet import protocol, reactor


class Server(protocol.Protocol):
    def connectionMade(self) -> None:
        reactor.callInThread(self.worker)

    def worker(self) -> None:
        reactor.callFromThread(self.transport.write, b"done")
        reactor.callFromThread(self.transport.loseConnection)
        reactor.callFromThread(reactor.stop)


port = reactor.listenTCP(0, protocol.Factory.forProtocol(Server), interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, protocol.ClientFactory.forProtocol(protocol.Protocol))
reactor.run()
