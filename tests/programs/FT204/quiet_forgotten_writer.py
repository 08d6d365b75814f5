"""A StreamWriter that is forgotten in a cycle: the garbage collector closes its transport in whichever thread it runs."""

import asyncio
import gc
import warnings

warnings.simplefilter("ignore", ResourceWarning)


async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    gc.disable()
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    cycle: list[object] = [writer]
    cycle.append(cycle)
    del writer, cycle
    await asyncio.to_thread(gc.collect)
    server.close()


asyncio.run(main())
