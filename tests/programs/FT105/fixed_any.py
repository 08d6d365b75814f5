"""A worker has a transport paused in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    def worker() -> None:
        loop.call_soon_threadsafe(writer.transport.pause_reading)
        loop.call_soon_threadsafe(writer.transport.resume_reading)

    await asyncio.to_thread(worker)
    await asyncio.sleep(0)
    writer.close()
    server.close()


asyncio.run(main())
