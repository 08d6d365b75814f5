"""Ranges of descriptors closed by one call, of which another thread reads one, polls one, has one in its loop."""

import asyncio
import contextlib
import os
import select
import socket
import threading

from ftsan.testing import wait_until_blocked


def read(end: int) -> None:
    with contextlib.suppress(OSError):
        os.read(end, 1)  # owner


def poll(end: int) -> None:
    poller = select.poll()
    poller.register(end, select.POLLIN)
    poller.poll(500)  # owner


def blocked_in(function: object, end: int) -> threading.Thread:
    thread = threading.Thread(target=function, args=(end,))
    thread.start()
    wait_until_blocked(thread)
    return thread


end, start = os.pipe()
thread = blocked_in(read, end)
os.closerange(end, end + 1)  # offending: close
os.write(start, b"x")
thread.join()
os.close(start)

end, start = os.pipe()
thread = blocked_in(poll, end)
os.closerange(end, start + 1)  # offending: close
thread.join()


async def main() -> None:
    ours, theirs = socket.socketpair()
    asyncio.get_running_loop().add_reader(ours, int)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def close() -> None:
        os.closerange(ours.fileno(), ours.fileno() + 1)  # offending: close
        loop.call_soon_threadsafe(stop.set)

    thread = threading.Thread(target=close)
    thread.start()
    await stop.wait()
    thread.join()
    ours.detach()
    theirs.close()


asyncio.run(main())  # owner
