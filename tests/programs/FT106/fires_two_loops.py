"""Module-level primitives used by two loops in two threads at once."""

import asyncio
import contextlib
import threading

queue: asyncio.Queue[int] = asyncio.Queue()  # created
event = asyncio.Event()  # created
lock = asyncio.Lock()  # created
semaphore = asyncio.Semaphore()  # created


async def elsewhere() -> None:
    await queue.put(1)  # offending: put
    with contextlib.suppress(RuntimeError, TimeoutError):
        await asyncio.wait_for(event.wait(), 0.01)  # offending: wait_for
    await lock.acquire()  # offending: acquire
    await semaphore.acquire()  # offending: acquire


async def main() -> None:
    async with lock, semaphore:
        pass
    getter = asyncio.create_task(queue.get())
    waiter = asyncio.create_task(event.wait())
    await asyncio.sleep(0)
    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    getter.cancel()
    waiter.cancel()


asyncio.run(main())
