"""Forgotten tasks wait in asyncio's own coroutines and are collected in another thread: what those clean up is not the program's.

So is one with a loop of its own, which is where the other one's tasks are collected.
"""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable

warnings.simplefilter("ignore")


def waits() -> list[Callable[[], Awaitable[object]]]:
    queue, full, semaphore = asyncio.Queue[int](), asyncio.Queue[int](1), asyncio.Semaphore(0)
    full.put_nowait(1)

    async def gets_in_time() -> None:
        await asyncio.wait_for(queue.get(), 99)

    return [queue.get, lambda: full.put(2), semaphore.acquire, gets_in_time, asyncio.Event().wait, lambda: asyncio.sleep(99)]


async def forget() -> None:
    for wait in waits():

        async def job(wait: Callable[[], Awaitable[object]] = wait) -> None:
            await wait()

        task = asyncio.ensure_future(job())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cycle: list[object] = [task]
        cycle.append(cycle)
        del task, cycle, wait, job


async def collect() -> None:
    gc.collect()
    await asyncio.sleep(0)


async def main() -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    gc.disable()
    await forget()
    await asyncio.to_thread(gc.collect)
    await forget()
    await asyncio.to_thread(asyncio.run, collect())


asyncio.run(main())
