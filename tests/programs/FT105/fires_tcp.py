"""A TCP connection and its server used from a thread that does not run their loop."""

import asyncio
import threading


async def main() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)  # created
    address = server.sockets[0].getsockname()
    _, writer = await asyncio.open_connection(*address)  # created
    fresh = asyncio.StreamReader()  # created
    transport = writer.transport
    _, second_writer = await asyncio.open_connection(*address)  # created
    other = second_writer.transport

    def worker() -> None:
        transport.pause_reading()  # offending: pause_reading
        transport.resume_reading()  # offending: resume_reading
        transport.set_write_buffer_limits(1024)  # offending: set_write_buffer_limits
        transport.write(b"x")  # offending: write
        transport.writelines([b"x"])  # offending: writelines
        transport.write_eof()  # offending: write_eof
        transport.close()  # offending: close
        other.abort()  # offending: abort
        fresh.feed_data(b"x")  # offending: feed_data
        fresh.feed_eof()  # offending: feed_eof
        server.close()  # offending: close

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner


asyncio.run(main())
