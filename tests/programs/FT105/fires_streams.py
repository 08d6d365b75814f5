"""Streams used from a plain thread and from another loop."""

import asyncio
import threading


async def main() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"12\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())  # created
    await asyncio.sleep(0.05)

    async def elsewhere() -> None:
        assert await reader.read(1) == b"1"  # offending: read
        assert await reader.readexactly(1) == b"2"  # offending: readexactly
        assert await reader.readline() == b"\n"  # offending: readline
        await writer.drain()  # offending: drain

    def worker() -> None:
        writer.write(b"x")  # offending: write
        writer.writelines([b"x"])  # offending: writelines
        asyncio.run(elsewhere())
        writer.close()  # offending: close

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    server.close()


asyncio.run(main())
