"""A thread that runs a loop sets up an epoll instance for others, as runtimes in C do: they poll it, and close what it holds."""

import asyncio
import os
import select
import threading

from ftsan.testing import wait_until_blocked

ours, theirs = os.pipe()
epoll = select.epoll()


def poll() -> None:
    epoll.poll(0)
    wait_until_blocked(threading.main_thread())
    os.close(ours)
    epoll.close()


async def main() -> None:
    epoll.register(ours, select.EPOLLIN)
    await asyncio.to_thread(poll)


asyncio.run(main())
os.close(theirs)
