"""An echo connection that a second thread writes to: the mistake behind most "corrupted connection" reports.

ftsan run examples/echo_written_from_a_thread.py
"""

import asyncio
import threading


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1024):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    def heartbeat() -> None:
        writer.write(b"ping\n")  # wrong: this thread does not run the loop
        # right: loop.call_soon_threadsafe(writer.write, b"ping\n")

    thread = threading.Thread(target=heartbeat, name="heartbeat")
    thread.start()
    print("echoed:", await reader.readline())
    thread.join()
    writer.close()
    server.close()


asyncio.run(main())
