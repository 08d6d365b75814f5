"""A TCP connection and its server used from a thread that does not run their loop."""

import asyncio
import threading


async def main() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)  # created
    address = server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(*address)  # created
    transport = writer.transport
    other = (await asyncio.open_connection(*address))[1].transport  # created

    def worker() -> None:
        transport.pause_reading()  # offending: pause_reading
        transport.resume_reading()  # offending: resume_reading
        transport.set_write_buffer_limits(1024)  # offending: set_write_buffer_limits
        transport.write(b"x")  # offending: write
        transport.writelines([b"x"])  # offending: writelines
        transport.write_eof()  # offending: write_eof
        transport.close()  # offending: close
        other.abort()  # offending: abort
        reader.feed_data(b"x")  # offending: feed_data
        reader.feed_eof()  # offending: feed_eof
        server.close()  # offending: close

    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(thread.join)  # owner


asyncio.run(main())
