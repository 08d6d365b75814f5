"""Each thread has an asynchronous generator of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator


async def count() -> AsyncIterator[int]:
    for number in range(100):
        await asyncio.sleep(0)
        yield number


async def consume() -> None:
    assert len([number async for number in count()]) == 100


threads = [threading.Thread(target=lambda: asyncio.run(consume())) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
