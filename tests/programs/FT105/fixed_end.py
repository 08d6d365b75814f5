"""A worker has the end of what is sent told in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"all")

    def worker() -> None:
        loop.call_soon_threadsafe(writer.write_eof)

    await asyncio.to_thread(worker)
    assert await reader.read() == b"all"
    server.close()


asyncio.run(main())
