"""A task that is started under a lock, at once, and waits; the one that holds the lock does not."""

import asyncio
import threading

lock = threading.Lock()


async def child() -> None:
    await asyncio.sleep(0)


async def main() -> None:
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    with lock:
        tasks = [asyncio.create_task(child()) for _ in range(3)]
    for task in tasks:
        await task


asyncio.run(main())
