"""A lock is held where a pool is given something to do, and not where a task waits for it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

lock = threading.Lock()
done: dict[str, int] = {}


async def main() -> None:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as pool:
        with lock:
            future = loop.run_in_executor(pool, done.update, {"a": 1})
            task = asyncio.create_task(asyncio.to_thread(done.update, {"b": 1}))
            futures = [asyncio.wrap_future(pool.submit(done.update, {"c": 1}))]
        await future
        await task
        await asyncio.gather(*futures)
        await loop.run_in_executor(pool, done.update, {"d": 1})


asyncio.run(main())
