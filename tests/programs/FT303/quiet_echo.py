"""An echo server and clients, whose answers come from threads by way of callFromThread."""

import functools

from twisted.internet import protocol, reactor, threads
from twisted.protocols.basic import LineReceiver

CLIENTS, LINES = 5, 20
finished = 0


class Echo(LineReceiver):
    def lineReceived(self, line: bytes) -> None:
        threads.deferToThread(bytes.upper, line).addCallback(self.sendLine)


class Client(LineReceiver):
    received = 0

    def connectionMade(self) -> None:
        threads.deferToThread(self.work)

    def work(self) -> None:
        for number in range(LINES):
            reactor.callFromThread(functools.partial(self.sendLine, b"line %d" % number))

    def lineReceived(self, line: bytes) -> None:
        self.received += 1
        if self.received == LINES:
            self.transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        global finished
        finished += 1
        if finished == CLIENTS:
            port.stopListening().addCallback(lambda _: reactor.stop())


port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
for _ in range(CLIENTS):
    reactor.connectTCP("127.0.0.1", port.getHost().port, protocol.ClientFactory.forProtocol(Client))
reactor.run()
assert finished == CLIENTS
