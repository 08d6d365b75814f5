"""Every kind of foreign call on Twisted's reactor, its delayed calls, transports and Deferreds: ``twisted_calls.py
select|poll|epoll|asyncio``.

The reactor is running, and its thread is inside one of its callbacks while the calls are made.  Each line marked
``# offending: RULE OPERATION`` must be reported, and no other.
"""

import contextlib
import socket
import sys
import threading
from typing import Any, ClassVar

from twisted.internet import asyncioreactor, epollreactor, pollreactor, selectreactor

{"select": selectreactor, "poll": pollreactor, "epoll": epollreactor, "asyncio": asyncioreactor}[sys.argv[1]].install()

from twisted.internet import protocol, reactor  # noqa: E402
from twisted.internet.abstract import FileDescriptor  # noqa: E402
from twisted.internet.defer import Deferred  # noqa: E402


class Descriptor(FileDescriptor):
    """Something to wait for."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        super().__init__(reactor)

    def fileno(self) -> int:
        return self.ours.fileno()


class Server(protocol.Protocol):
    """Keeps its connection open."""

    connections: ClassVar[list[Any]] = []

    def connectionMade(self) -> None:
        self.connections.append(self.transport)


port = reactor.listenTCP(0, protocol.Factory.forProtocol(Server), interface="127.0.0.1")
address = port.getHost().port
connector = reactor.connectTCP("127.0.0.1", address, protocol.ClientFactory.forProtocol(Server))
datagrams = reactor.listenUDP(0, protocol.DatagramProtocol(), interface="127.0.0.1")
early = Deferred[None]().addCallback(lambda result: result)


def misuse(made: list[Deferred[None]], timer: Any, descriptor: Descriptor, process: Any) -> None:
    """Runs in a thread of its own."""
    with contextlib.suppress(RuntimeError, ValueError):
        reactor.callLater(60, int)  # offending: FT301 callLater
        timer.reset(60)  # offending: FT301 reset
        timer.delay(1)  # offending: FT301 delay
        timer.cancel()  # offending: FT301 cancel
        reactor.callWhenRunning(int)  # offending: FT301 callWhenRunning
        trigger = reactor.addSystemEventTrigger("before", "shutdown", int)  # offending: FT301 addSystemEventTrigger
        reactor.removeSystemEventTrigger(trigger)  # offending: FT301 removeSystemEventTrigger
        reactor.listenTCP(0, protocol.Factory.forProtocol(Server), interface="127.0.0.1")  # offending: FT301 listenTCP
        reactor.connectTCP("127.0.0.1", address, protocol.ClientFactory.forProtocol(Server))  # offending: FT301 connectTCP
        reactor.listenUDP(0, protocol.DatagramProtocol(), interface="127.0.0.1")  # offending: FT301 listenUDP
        reactor.addReader(descriptor)  # offending: FT301 addReader
        reactor.removeReader(descriptor)  # offending: FT301 removeReader
        reactor.addWriter(descriptor)  # offending: FT301 addWriter
        reactor.removeWriter(descriptor)  # offending: FT301 removeWriter
    made[0].callback(None)  # offending: FT302 callback
    made[1].errback(ValueError())  # offending: FT302 errback
    made[1].addErrback(lambda failure: None)  # offending: FT302 addErrback
    made[2].addCallback(lambda result: None)  # offending: FT302 addCallback
    made[3].addBoth(lambda result: None)  # offending: FT302 addBoth
    made[4].addErrback(lambda failure: None)  # offending: FT302 addErrback
    made[4].cancel()  # offending: FT302 cancel
    made[5].chainDeferred(made[6])  # offending: FT302 chainDeferred
    early.callback(None)  # offending: FT302 callback
    transport = Server.connections[0]
    transport.write(b"x")  # offending: FT303 write
    transport.writeSequence([b"x"])  # offending: FT303 writeSequence
    transport.pauseProducing()  # offending: FT303 pauseProducing
    transport.resumeProducing()  # offending: FT303 resumeProducing
    transport.loseConnection()  # offending: FT303 loseConnection
    Server.connections[1].abortConnection()  # offending: FT303 abortConnection
    datagrams.write(b"x", ("127.0.0.1", address))  # offending: FT303 write
    process.signalProcess("TERM")  # offending: FT303 signalProcess
    port.loseConnection()  # offending: FT303 loseConnection
    connector.disconnect()  # offending: FT303 disconnect
    reactor.stop()  # offending: FT301 stop


def meanwhile() -> None:
    process = reactor.spawnProcess(protocol.ProcessProtocol(), "/bin/sleep", ["sleep", "60"])
    made = [Deferred[None]() for _ in range(7)]
    thread = threading.Thread(target=misuse, args=(made, reactor.callLater(60, int), Descriptor(), process))
    thread.start()
    thread.join()


def wait_for_connections() -> None:
    if len(Server.connections) == 2:
        meanwhile()
    else:
        reactor.callLater(0.01, wait_for_connections)


reactor.callWhenRunning(wait_for_connections)
reactor.run()
print("ok")
