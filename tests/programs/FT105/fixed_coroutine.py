"""A worker reads from a stream in its loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(lambda reader, writer: writer.write(b"hello\n"), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    def worker() -> None:
        assert asyncio.run_coroutine_threadsafe(reader.readline(), loop).result() == b"hello\n"
        asyncio.run_coroutine_threadsafe(writer.drain(), loop).result()

    await asyncio.to_thread(worker)
    writer.close()
    server.close()


asyncio.run(main())
