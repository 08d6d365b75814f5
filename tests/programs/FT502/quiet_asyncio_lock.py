"""The locks of asyncio are made for this."""

import asyncio

counter = 0


async def add(lock: asyncio.Lock, permits: asyncio.Semaphore, ready: asyncio.Condition) -> None:
    global counter
    async with permits, lock:
        before = counter
        await asyncio.sleep(0)
        counter = before + 1
    async with ready:
        ready.notify_all()
        await asyncio.sleep(0)


async def main() -> None:
    lock, permits, ready = asyncio.Lock(), asyncio.Semaphore(2), asyncio.Condition()
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(add(lock, permits, ready))
    assert counter == 5


asyncio.run(main())
