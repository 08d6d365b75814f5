"""Autobahn's WebSocket on Twisted: threads ask an echo server through the reactor; misuse: a thread sends a message itself."""

import sys
import threading
from typing import Any

from autobahn.exception import Disconnected
from autobahn.twisted import websocket
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react
from twisted.internet.threads import blockingCallFromThread, deferToThread

MISUSE = sys.argv[1:] == ["misuse"]


class Server(websocket.WebSocketServerProtocol):
    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        answer = deferToThread(payload.upper).addCallback(self.sendMessage, isBinary)
        answer.addErrback(lambda failure: failure.trap(Disconnected))  # the client does not wait for all answers


class Client(websocket.WebSocketClientProtocol):
    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[bytes, Deferred[bytes]] = {}

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if answer := self.answers.pop(payload, None):
            answer.callback(payload)

    def ask(self, question: bytes) -> Deferred[bytes]:
        self.answers[question.upper()] = answer = Deferred()
        self.sendMessage(question)
        return answer


async def main(reactor: Any) -> None:
    servers = websocket.WebSocketServerFactory()
    servers.protocol = Server
    port = reactor.listenTCP(0, servers, interface="127.0.0.1")
    url = f"ws://127.0.0.1:{port.getHost().port}"
    agent = websocket.create_client_agent(reactor)
    clients = [await agent.open(url, {}, Client) for _ in range(3)]

    def worker(client: Client, name: str) -> None:
        for number in range(20):
            reactor.callFromThread(client.sendMessage, b"nobody waits for this")
            answer = blockingCallFromThread(reactor, client.ask, f"{name} {number}".encode())
            assert answer == f"{name} {number}".upper().encode()

    await gatherResults([deferToThread(worker, client, name) for client in clients for name in ("first", "second")])

    if MISUSE:
        sent = threading.Event()

        def heartbeat() -> None:
            clients[0].sendMessage(b"from a thread")  # misuse
            sent.set()

        reactor.callInThread(heartbeat)
        await deferToThread(sent.wait)
    for client in clients:
        client.sendClose()
        await client.is_closed
    await port.stopListening()
    print("ok")


react(main)
