"""The workloads of the benchmark: each runs once and prints its CPU time in seconds (start-up: nothing)."""

from __future__ import annotations

import asyncio
import sys
import time

ECHOES = 6_000
PINGS = 60_000
TASKS = 60_000


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


WORKLOADS = {"echo": echo, "await ping-pong": ping_pong, "queue ping-pong": queue_ping_pong, "task creation": create_tasks}

if __name__ == "__main__":
    workload = WORKLOADS[sys.argv[1]]

    async def measured() -> None:
        """Twice: the first run warms up."""
        await workload()
        start = time.process_time()
        await workload()
        print(time.process_time() - start)

    asyncio.run(measured())
