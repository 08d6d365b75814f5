"""A socket that a loop has registered is closed by a thread while the loop is busy, and comes back to its selector."""

import asyncio
import socket
import threading

ours, theirs = socket.socketpair()
ours.setblocking(False)


def close() -> None:
    ours.close()  # offending: close


async def main() -> None:
    asyncio.get_running_loop().add_reader(ours, int)
    thread = threading.Thread(target=close)
    thread.start()  # owner
    thread.join()  # owner
    theirs.close()


asyncio.run(main())
