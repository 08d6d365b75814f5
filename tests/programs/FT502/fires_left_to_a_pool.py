"""A lock is held while a pool works: often it has done so by then, and the task goes on at once, but not always."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

one, two, three, four = (threading.Lock() for _ in range(4))
done: dict[str, int] = {}


class Store:
    async def save(self, pool: ThreadPoolExecutor) -> None:
        await asyncio.get_running_loop().run_in_executor(pool, done.update, {"c": 1})


async def main() -> None:
    with ThreadPoolExecutor(1) as pool:
        with one:
            await asyncio.get_running_loop().run_in_executor(pool, done.update, {"a": 1})  # offending: await
        with two:
            await asyncio.to_thread(done.update, {"b": 1})  # offending: await
        with three:
            await Store().save(pool)  # offending: await
        with four:
            await asyncio.wrap_future(pool.submit(done.update, {"d": 1}))  # offending: await


asyncio.run(main())
