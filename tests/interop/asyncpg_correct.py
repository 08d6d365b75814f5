"""asyncpg used correctly from several threads: a pool per thread, and one pool used through run_coroutine_threadsafe."""

import asyncio
import os
import threading

import asyncpg

DSN = os.environ["DSN"]


async def own_pool() -> None:
    async with asyncpg.create_pool(DSN, min_size=1, max_size=3) as pool:
        answers = await asyncio.gather(*(pool.fetchval("SELECT $1::int", number) for number in range(20)))
        assert answers == list(range(20))


threads = [threading.Thread(target=lambda: asyncio.run(own_pool())) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()


async def shared_pool() -> None:
    loop = asyncio.get_running_loop()
    async with asyncpg.create_pool(DSN, min_size=1, max_size=3) as pool:

        def worker() -> None:
            for number in range(10):
                future = asyncio.run_coroutine_threadsafe(pool.fetchval("SELECT $1::int", number), loop)
                assert future.result(10) == number

        workers = [threading.Thread(target=worker) for _ in range(3)]
        for worker_thread in workers:
            worker_thread.start()
        for worker_thread in workers:
            await asyncio.to_thread(worker_thread.join)


asyncio.run(shared_pool())
print("ok")
