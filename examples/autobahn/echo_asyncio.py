"""Autobahn's echo server and clients on asyncio, under 200 connections of each kind that open and close at once.

``ftsan run --perturb 1 examples/autobahn/echo_asyncio.py [uvloop|epoll|poll|select] [misuse]``: a thread sends a message then.
"""

import asyncio
import contextlib
import selectors
import sys
import threading

from autobahn.asyncio.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.exception import Disconnected
from storm import storm

CONNECTIONS = 200
AT_ONCE = 50
#: Seconds: a machine that is busy is not a peer that is gone.
PATIENCE = 300


class Server(WebSocketServerProtocol):
    openHandshakeTimeout = closeHandshakeTimeout = PATIENCE

    async def onMessage(self, payload: bytes, isBinary: bool) -> None:
        answer = await asyncio.to_thread(payload.upper)
        with contextlib.suppress(Disconnected):  # the client may be gone by now
            self.sendMessage(answer, isBinary)


class Client(WebSocketClientProtocol):
    openHandshakeTimeout = closeHandshakeTimeout = PATIENCE

    def __init__(self) -> None:
        super().__init__()
        self.echo = asyncio.get_running_loop().create_future()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.echo.set_result(payload)


async def open_and_close(clients: WebSocketClientFactory, number: int) -> bool:
    """One connection of Autobahn's; whether the echo came."""
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(clients, clients.host, clients.port)
    await client.is_open
    client.sendMessage(b"autobahn %d" % number)
    echo = number % 3 > 0 and await client.echo == b"AUTOBAHN %d" % number
    if number % 2:
        transport.abort()
    else:
        client.sendClose()
    with contextlib.suppress(Exception):  # aborted: it says that the peer was not asked
        await client.is_closed
    return bool(echo)


async def main() -> None:
    loop = asyncio.get_running_loop()
    servers = WebSocketServerFactory()
    servers.protocol = Server
    server = await loop.create_server(servers, "127.0.0.1", 0, backlog=CONNECTIONS)
    host, port = server.sockets[0].getsockname()
    clients = WebSocketClientFactory(f"ws://{host}:{port}")
    clients.protocol = Client
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> bool:
        async with places:
            return await open_and_close(clients, number)

    stormed = asyncio.create_task(asyncio.to_thread(storm, (host, port), CONNECTIONS))
    echoes = sum(await asyncio.gather(*map(one, range(CONNECTIONS))))
    if "misuse" in sys.argv:
        _, client = await loop.create_connection(clients, host, port)
        await client.is_open
        sender = threading.Thread(target=lambda: client.sendMessage(b"from a thread"), name="heartbeat")  # misuse
        sender.start()
        await asyncio.to_thread(sender.join)
        client.sendClose()
        await client.is_closed
    print(f"{CONNECTIONS} clients, {echoes} echoes; {CONNECTIONS} connections of a storm, {await stormed} echoes")
    server.close()


def make_loop() -> asyncio.AbstractEventLoop:
    """A loop that waits as the first argument says."""
    how = next(iter(sys.argv[1:]), "epoll")
    if how == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    selector = {"poll": selectors.PollSelector, "select": selectors.SelectSelector}.get(how, selectors.EpollSelector)
    return asyncio.SelectorEventLoop(selector())


asyncio.run(main(), loop_factory=make_loop)
