"""A transport of uvloop, which code in Cython makes, is written to from a thread."""

import asyncio

import uvloop


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    transport, _ = await loop.create_connection(asyncio.Protocol, *address)  # created

    def worker() -> None:
        transport.write(b"x")  # offending: write

    await asyncio.to_thread(worker)
    transport.close()
    server.close()


uvloop.run(main())  # owner
