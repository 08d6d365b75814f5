"""A worker writes to a connection of the reactor and closes it."""

from twisted.internet import protocol, reactor


class Server(protocol.Protocol):
    def connectionMade(self) -> None:
        reactor.callInThread(self.worker)

    def worker(self) -> None:
        self.transport.write(b"done")  # offending: write
        self.transport.loseConnection()  # offending: loseConnection
        reactor.callFromThread(reactor.stop)


port = reactor.listenTCP(0, protocol.Factory.forProtocol(Server), interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, protocol.ClientFactory.forProtocol(protocol.Protocol))
reactor.run()  # owner
