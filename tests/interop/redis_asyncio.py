"""redis.asyncio: clients of threads and one used through its loop; misuse: a thread uses the client of another loop."""

import asyncio
import contextlib
import os
import sys
import threading
import uuid

from redis.asyncio import Redis

MISUSE = sys.argv[1:] == ["misuse"]
#: Seconds: a machine that is busy is not a server that is gone.
PATIENCE = 300
KEY = f"ftsan-{uuid.uuid4()}"


async def count_with_own_client() -> None:
    async with Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=PATIENCE) as client:
        await asyncio.gather(*(client.incr(KEY) for _ in range(10)))


async def main() -> None:
    loop = asyncio.get_running_loop()
    async with Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=PATIENCE) as client:

        def worker() -> None:
            for _ in range(10):
                asyncio.run_coroutine_threadsafe(client.incr(KEY), loop).result()

        def worker_with_a_loop() -> None:
            asyncio.run(count_with_own_client())

        threads = [threading.Thread(target=target) for target in (worker, worker_with_a_loop) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        assert await client.get(KEY) == b"60"

        if MISUSE:

            async def elsewhere() -> None:
                with contextlib.suppress(Exception):
                    await client.get(KEY)  # misuse

            await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
        await client.delete(KEY)


asyncio.run(main())
print("ok")
