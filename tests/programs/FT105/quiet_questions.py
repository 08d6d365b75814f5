"""Questions to a transport and its streams."""

import asyncio
import threading


async def main() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    def worker() -> None:
        assert not writer.is_closing() and writer.get_extra_info("peername")
        assert writer.transport.get_write_buffer_size() == 0 and repr(writer) and repr(writer.transport)
        assert not reader.at_eof() and server.is_serving()
        asyncio.run_coroutine_threadsafe(writer.drain(), asyncio_loop).result(5)
        asyncio_loop.call_soon_threadsafe(writer.write, b"x")

    asyncio_loop = asyncio.get_running_loop()
    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(thread.join)
    writer.close()
    server.close()


asyncio.run(main())
