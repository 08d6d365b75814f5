"""A connection that two threads write, in a process that dies while both do.

verdict: cross-thread-misuse
racing: heartbeat
"""

import asyncio
import ctypes
import threading
import time


async def main() -> None:
    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass

    server = await asyncio.start_server(read, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    def heartbeat() -> None:
        while True:
            writer.write(b"ping")
            time.sleep(0.001)

    threading.Thread(target=heartbeat, name="heartbeat", daemon=True).start()

    class Sock:
        def send(self, data: bytes) -> int:
            return ctypes.string_at(8)

    for _ in range(50):
        writer.write(b"pong")
        await asyncio.sleep(0.002)
    writer.transport._sock = Sock()  # what a freed buffer would do
    writer.write(b"pong")


asyncio.run(main())
