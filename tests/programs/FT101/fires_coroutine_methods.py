"""Coroutine methods of one loop driven by another loop in another thread."""

import asyncio
import contextlib
import socket
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()

    async def elsewhere() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        await loop.sock_sendall(ours, b"x")  # offending: sock_sendall
        await loop.sock_recv(theirs, 1)  # offending: sock_recv
        with contextlib.suppress(RuntimeError):  # what follows gets a future of the other loop
            await loop.getaddrinfo("127.0.0.1", 80)  # offending: getaddrinfo
        with contextlib.suppress(RuntimeError):
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", 1)  # offending: create_connection
        with contextlib.suppress(RuntimeError, OSError):
            await loop.create_server(asyncio.Protocol, "256.0.0.1", 1)  # offending: create_server
        ours.close()
        theirs.close()

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    await asyncio.to_thread(thread.join)  # owner


asyncio.run(main())  # created
