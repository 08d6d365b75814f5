"""Autobahn's echo server and clients on Twisted, under 200 connections of each kind that open and close at once.

``ftsan run --perturb 1 examples/autobahn/echo_twisted.py [asyncio|epoll|poll|select] [misuse]``: a thread sends a message then.
"""

import importlib
import sys
from typing import Any

# The reactor that waits as the first argument says, before anything imports another one.
how = next((word for word in sys.argv[1:2] if word != "misuse"), "epoll")
importlib.import_module(f"twisted.internet.{how}reactor").install()

from autobahn.exception import Disconnected  # noqa: E402
from autobahn.twisted import websocket  # noqa: E402
from storm import storm  # noqa: E402
from twisted.internet.defer import Deferred, DeferredSemaphore, ensureDeferred, gatherResults  # noqa: E402
from twisted.internet.task import react  # noqa: E402
from twisted.internet.threads import deferToThread  # noqa: E402

CONNECTIONS = 200
AT_ONCE = 50
#: Seconds: a machine that is busy is not a peer that is gone.
PATIENCE = 300


class Server(websocket.WebSocketServerProtocol):
    openHandshakeTimeout = closeHandshakeTimeout = PATIENCE

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        answer = deferToThread(payload.upper).addCallback(self.sendMessage, isBinary)
        answer.addErrback(lambda failure: failure.trap(Disconnected))  # the client may be gone by now


class Client(websocket.WebSocketClientProtocol):
    openHandshakeTimeout = closeHandshakeTimeout = PATIENCE

    def __init__(self) -> None:
        super().__init__()
        self.echo: Deferred[bytes] = Deferred()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.echo.callback(payload)


async def open_and_close(agent: Any, url: str, number: int) -> bool:
    """One connection of Autobahn's; whether the echo came."""
    client = await agent.open(url, {}, Client)
    client.sendMessage(b"autobahn %d" % number)
    echo = number % 3 > 0 and await client.echo == b"AUTOBAHN %d" % number
    if number % 2:
        client.transport.abortConnection()
    else:
        client.sendClose()
    await client.is_closed.addErrback(lambda _: None)  # aborted: it says that the peer was not asked
    return bool(echo)


async def main(reactor: Any) -> None:
    servers = websocket.WebSocketServerFactory()
    servers.protocol = Server
    port = reactor.listenTCP(0, servers, backlog=CONNECTIONS, interface="127.0.0.1")
    address = ("127.0.0.1", port.getHost().port)
    url, agent = "ws://{}:{}".format(*address), websocket.create_client_agent(reactor)
    places = DeferredSemaphore(AT_ONCE)
    stormed = deferToThread(storm, address, CONNECTIONS)
    clients = [
        places.run(lambda number=number: ensureDeferred(open_and_close(agent, url, number))) for number in range(CONNECTIONS)
    ]
    echoes = sum(await gatherResults(clients))
    if "misuse" in sys.argv:
        client = await agent.open(url, {}, Client)
        await deferToThread(lambda: client.sendMessage(b"from a thread"))  # misuse
        client.sendClose()
        await client.is_closed
    print(f"{CONNECTIONS} clients, {echoes} echoes; {CONNECTIONS} connections of a storm, {await stormed} echoes")
    await port.stopListening()


react(main)
