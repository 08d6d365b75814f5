"""Asynchronous iteration and an asynchronous context manager inside a `with` statement."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

ready = threading.Condition()


async def ticks() -> AsyncIterator[int]:
    for number in range(2):
        await asyncio.sleep(0)
        yield number


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[None]:
    await asyncio.sleep(0)
    yield


async def main() -> None:
    with ready:
        async for _ in ticks():  # offending: await
            pass
    with ready:
        async with connected():  # offending: await
            pass


asyncio.run(main())
