"""Two loops consume one asynchronous generator: the second to come is wrong, even if they never meet inside it."""

import asyncio
import threading
from collections.abc import AsyncIterator

begun, done = threading.Event(), threading.Event()


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        yield number


shared = numbers()


async def first() -> None:
    await anext(shared)  # created
    begun.set()
    await asyncio.to_thread(done.wait)


async def second() -> None:
    await anext(shared)  # offending: __anext__


thread = threading.Thread(target=lambda: asyncio.run(first()))  # owner
thread.start()  # owner
begun.wait()
asyncio.run(second())
done.set()
thread.join()
