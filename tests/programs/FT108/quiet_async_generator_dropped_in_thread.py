"""The last reference to an asynchronous generator is dropped by another thread: asyncio itself has its loop close it."""

import asyncio
import gc
from collections.abc import AsyncIterator

import uvloop

closed: list[str] = []


async def numbers(loop: str) -> AsyncIterator[int]:
    try:
        for number in range(10):
            await asyncio.sleep(0)
            yield number
    finally:
        closed.append(loop)


async def main(loop: str) -> None:
    cycle: list[object] = [numbers(loop)]
    await anext(cycle[0])  # type: ignore[call-overload]
    cycle.append(cycle)
    del cycle
    await asyncio.to_thread(gc.collect)
    while loop not in closed:
        await asyncio.sleep(0.001)


asyncio.run(main("asyncio"))
uvloop.run(main("uvloop"))
