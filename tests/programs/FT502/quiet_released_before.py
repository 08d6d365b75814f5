"""The lock is released before the task waits for anything."""

import asyncio
import threading

lock, table = threading.Lock(), threading.RLock()
items: list[int] = []


async def add(number: int) -> None:
    await asyncio.sleep(0)
    with lock:
        items.append(number)
    await asyncio.sleep(0)
    with table, table:
        items.sort()
    if lock.acquire(timeout=1):
        lock.release()
    await asyncio.to_thread(items.sort)


async def main() -> None:
    await asyncio.gather(*map(add, range(10)))


asyncio.run(main())
