"""Primitives made in one loop and used by another one only; and one loop after the other."""

import asyncio
import threading

shared = asyncio.Queue()
lock = asyncio.Lock()


async def use(queue: asyncio.Queue) -> None:
    queue.put_nowait(1)
    assert await queue.get() == 1
    queue.task_done()
    await queue.join()


async def one_after_the_other() -> None:
    async with lock:
        await use(shared)


async def main() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    thread = threading.Thread(target=lambda: asyncio.run(use(queue)))
    thread.start()
    await asyncio.to_thread(thread.join)


asyncio.run(main())
for _ in range(2):
    thread = threading.Thread(target=lambda: asyncio.run(one_after_the_other()))
    thread.start()
    thread.join()
asyncio.run(one_after_the_other())
