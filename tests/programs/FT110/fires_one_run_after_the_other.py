"""One client, one asyncio.run after the other: what the client keeps is bound to the first loop, which is closed."""

import asyncio
import contextlib
import threading


class Client:
    """Keeps its connection, and one request at a time."""

    def __init__(self) -> None:
        self.reader: asyncio.StreamReader | None = None
        self.answers = asyncio.Queue[int]()
        self.pending: asyncio.Future[int] | None = None

    async def get(self, port: int) -> bytes:
        if self.reader is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.writer.write(b"x\n")
        return await self.reader.readline()  # offending: readline

    async def next(self) -> int:
        return await self.answers.get()  # offending: get

    async def settled(self) -> int:
        if self.pending is None:
            self.pending = asyncio.get_running_loop().create_future()
            return 0
        return await self.pending  # offending: await

    async def later(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(1, int)  # offending: call_later


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        async for line in reader:
            writer.write(line)
    writer.close()


async def run_server(ready: list[int], started: threading.Event, stop: threading.Event) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    ready.append(server.sockets[0].getsockname()[1])
    started.set()
    await asyncio.to_thread(stop.wait)
    server.close()


ready, started, stop = list[int](), threading.Event(), threading.Event()
thread = threading.Thread(target=lambda: asyncio.run(run_server(ready, started, stop)))
thread.start()
started.wait()
client = Client()


async def first() -> asyncio.AbstractEventLoop:
    assert await client.get(ready[0]) == b"x\n"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await client.next()
    await client.settled()
    return asyncio.get_running_loop()


async def second(loop: asyncio.AbstractEventLoop) -> None:
    for use in (client.get(ready[0]), client.next(), client.settled(), client.later(loop)):
        with contextlib.suppress(RuntimeError, TimeoutError):
            async with asyncio.timeout(0.05):
                await use


loop = asyncio.run(first())
asyncio.run(second(loop))
stop.set()
thread.join()
