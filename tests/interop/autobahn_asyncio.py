"""Autobahn's WebSocket on asyncio: threads ask an echo server through the loop; misuse: a thread sends a message itself."""

import asyncio
import contextlib
import sys
import threading

from autobahn.asyncio.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.exception import Disconnected

MISUSE = sys.argv[1:] == ["misuse"]


class Server(WebSocketServerProtocol):
    async def onMessage(self, payload: bytes, isBinary: bool) -> None:
        answer = await asyncio.to_thread(payload.upper)
        with contextlib.suppress(Disconnected):  # the client does not wait for all answers
            self.sendMessage(answer, isBinary)


class Client(WebSocketClientProtocol):
    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[bytes, asyncio.Future[bytes]] = {}

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if answer := self.answers.pop(payload, None):
            answer.set_result(payload)

    async def ask(self, question: bytes) -> bytes:
        self.answers[question.upper()] = answer = asyncio.get_running_loop().create_future()
        self.sendMessage(question)
        return await answer


async def main() -> None:
    loop = asyncio.get_running_loop()
    servers = WebSocketServerFactory()
    servers.protocol = Server
    server = await loop.create_server(servers, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    connections = WebSocketClientFactory(f"ws://{host}:{port}")
    connections.protocol = Client
    clients = [(await loop.create_connection(connections, host, port))[1] for _ in range(3)]
    for client in clients:
        await client.is_open

    def worker(client: Client, name: str) -> None:
        for number in range(20):
            loop.call_soon_threadsafe(client.sendMessage, b"nobody waits for this")
            answer = asyncio.run_coroutine_threadsafe(client.ask(f"{name} {number}".encode()), loop)
            assert answer.result() == f"{name} {number}".upper().encode()

    threads = [threading.Thread(target=worker, args=(client, name)) for client in clients for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    if MISUSE:
        await asyncio.to_thread(lambda: clients[0].sendMessage(b"from a thread"))  # misuse
    for client in clients:
        client.sendClose()
        await client.is_closed
    server.close()


asyncio.run(main())
print("ok")
