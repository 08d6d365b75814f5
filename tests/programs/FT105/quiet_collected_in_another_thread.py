"""A forgotten connection is closed by the garbage collector in whichever thread it runs."""

import asyncio
import gc
import threading
import warnings

warnings.simplefilter("ignore", ResourceWarning)


async def main() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    for _ in range(5):
        await asyncio.open_connection(*server.sockets[0].getsockname())
    thread = threading.Thread(target=gc.collect)
    thread.start()
    await asyncio.to_thread(thread.join)
    server.close()


asyncio.run(main())
