"""A server and a client in two event loops update in turns: a line each way, by asyncio's streams."""

import asyncio
import socket
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


async def answer(sock: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=sock)
    while await reader.readline():
        shared.n += 1
        writer.write(b"answer\n")
    writer.close()


async def ask(sock: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=sock)
    for _ in range(20):
        shared.n += 1
        writer.write(b"question\n")
        await reader.readline()
    writer.close()


listening = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listening.getsockname())
server, _ = listening.accept()
listening.close()
threads = [threading.Thread(target=lambda ends=ends: asyncio.run(ends[0](ends[1]))) for ends in ((answer, server), (ask, client))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 40
