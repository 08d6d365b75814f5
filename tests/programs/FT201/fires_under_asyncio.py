"""A socket that a loop reads from, closed by a worker."""

import asyncio
import socket
import threading

from ftsan.testing import wait_until_blocked


async def main() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: None)
    closed = asyncio.Event()

    def worker() -> None:
        wait_until_blocked(threading.main_thread())
        ours.close()  # offending: close
        loop.call_soon_threadsafe(closed.set)

    thread = threading.Thread(target=worker)
    thread.start()
    await closed.wait()  # owner
    thread.join()
    theirs.close()


asyncio.run(main())  # owner
