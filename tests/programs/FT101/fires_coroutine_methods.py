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
        with contextlib.suppress(RuntimeError):  # it gets a future of the other loop
            await loop.getaddrinfo("127.0.0.1", 80)  # offending: getaddrinfo
        ours.close()
        theirs.close()

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner


asyncio.run(main())  # created
