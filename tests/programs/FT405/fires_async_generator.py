"""An async generator that the loops of two threads consume, one after the other: nothing says that they are not at it at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ftsan.testing import in_turns


async def numbers() -> AsyncIterator[int]:
    for number in range(4):
        yield number


shared = numbers()
stepped = numbers()


async def consume() -> None:
    async for _ in shared:  # race: shared
        break


async def step() -> None:
    with contextlib.suppress(StopAsyncIteration):  # the first loop has closed it at its end
        await stepped.__anext__()  # race: stepped


in_turns(lambda: asyncio.run(consume()), lambda: asyncio.run(consume()))
in_turns(lambda: asyncio.run(step()), lambda: asyncio.run(step()))
