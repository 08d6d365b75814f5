"""A descriptor closed under a read by `os.close` itself in a worker thread of anyio, which has run something else before."""

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from ftsan.testing import wait_until_blocked


def read(end: int) -> None:
    os.read(end, 1)  # owner


@asynccontextmanager
async def read_end() -> AsyncIterator[int]:
    end, start = os.pipe()
    thread = threading.Thread(target=read, args=(end,))
    thread.start()
    wait_until_blocked(thread)
    yield end
    os.write(start, b"x")
    thread.join()
    os.close(start)


async def with_anyio() -> None:
    await anyio.to_thread.run_sync(int)
    async with read_end() as end:
        await anyio.to_thread.run_sync(os.close, end)  # offending: close


anyio.run(with_anyio)
