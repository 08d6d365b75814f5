"""A coroutine that is suspended in one loop is awaited by a task of another one: RuntimeError before anything that is hooked."""

import asyncio
import contextlib
import threading


async def waits(begun: threading.Event) -> None:
    begun.set()
    await asyncio.get_running_loop().create_future()


begun = threading.Event()
shared = waits(begun)


async def first() -> None:
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(shared, 0.2)


async def second() -> None:
    with contextlib.suppress(RuntimeError):
        await shared  # offending: send


thread = threading.Thread(target=lambda: asyncio.run(first()))
thread.start()
begun.wait()
asyncio.run(second())
thread.join()
