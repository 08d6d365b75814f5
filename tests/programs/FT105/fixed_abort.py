"""A worker has a connection dropped in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    is_lost = asyncio.Event()

    class Client(asyncio.Protocol):
        def connection_lost(self, _: Exception | None) -> None:
            is_lost.set()

    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    transport, _ = await loop.create_connection(Client, *server.sockets[0].getsockname())

    def worker() -> None:
        loop.call_soon_threadsafe(transport.abort)

    await asyncio.to_thread(worker)
    await is_lost.wait()
    server.close()


asyncio.run(main())
