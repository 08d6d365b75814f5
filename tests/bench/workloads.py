"""The workloads of the benchmark: each runs once and prints its CPU time in seconds (start-up: nothing)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

ECHOES = 6_000
PINGS = 60_000
TASKS = 60_000
REQUESTS = 3_000


async def echo() -> None:
    """Request and response of 64 bytes over one TCP connection, with streams on both sides."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(ECHOES):
        writer.write(b"x" * 64)
        await writer.drain()
        await reader.readexactly(64)
    writer.close()
    server.close()


async def ping_pong() -> None:
    """Two tasks that wake each other through futures."""
    loop = asyncio.get_running_loop()
    ping, pong = loop.create_future(), loop.create_future()

    async def answer() -> None:
        nonlocal ping
        for _ in range(PINGS):
            await ping
            ping = loop.create_future()
            pong.set_result(None)

    task = asyncio.create_task(answer())
    for _ in range(PINGS):
        ping.set_result(None)
        await pong
        pong = loop.create_future()
    await task


async def queue_ping_pong() -> None:
    """Two tasks that wake each other through a pair of queues: nearly every call is a watched one."""
    pings: asyncio.Queue[int] = asyncio.Queue()
    pongs: asyncio.Queue[int] = asyncio.Queue()

    async def answer() -> None:
        for _ in range(PINGS):
            pongs.put_nowait(await pings.get())

    task = asyncio.create_task(answer())
    for number in range(PINGS):
        pings.put_nowait(number)
        await pongs.get()
    await task


async def create_tasks() -> None:
    """Tasks that are created, run and awaited."""

    async def nothing() -> None:
        pass

    for _ in range(TASKS):
        await asyncio.create_task(nothing())


async def uvicorn_requests() -> None:
    """GET requests over one connection, answered by Starlette under uvicorn with httptools, on uvloop."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.query_params["name"])

    app = Starlette(routes=[Route("/hello", answer)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, http="httptools", log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.001)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    for _ in range(REQUESTS):
        writer.write(b"GET /hello?name=ftsan HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"ftsan"
    writer.close()
    server.should_exit = True
    await serving


#: name -> (what runs, whether on uvloop)
WORKLOADS: dict[str, tuple[Callable[[], Awaitable[None]], bool]] = {
    "echo": (echo, False),
    "await ping-pong": (ping_pong, False),
    "queue ping-pong": (queue_ping_pong, False),
    "task creation": (create_tasks, False),
    "uvloop echo": (echo, True),
    "uvicorn request": (uvicorn_requests, True),
}

if __name__ == "__main__":
    workload, on_uvloop = WORKLOADS[sys.argv[1]]
    new_loop: Callable[[], Any] = asyncio.new_event_loop
    if on_uvloop:
        import uvloop

        new_loop = uvloop.new_event_loop

    async def measured() -> None:
        """Twice: the first run warms up."""
        await workload()
        start = time.process_time()
        await workload()
        print(time.process_time() - start)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(measured())
