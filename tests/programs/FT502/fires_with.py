"""A lock of threading held by a `with` statement around an await, in tasks and in the main coroutine."""

import asyncio
import threading

lock = threading.Lock()
table = threading.RLock()


async def refresh() -> None:
    with lock:
        await asyncio.sleep(0.01)  # offending: await


async def load() -> str:
    await asyncio.sleep(0)
    return "loaded"


async def main() -> None:
    await asyncio.create_task(refresh())
    with table:
        print(end=await load() and "")  # offending: await


asyncio.run(main())
