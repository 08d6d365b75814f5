"""Coroutines in two event loops, a thread each, count together: what is safe within one loop."""

import asyncio
import threading


class Stats:
    requests = 0
    pending = 0


stats = Stats()


async def request() -> None:
    stats.requests += 1  # race: at once
    before = stats.pending  # maybe: across an await
    await asyncio.sleep(0)
    stats.pending = before + 1  # race: across an await


async def main() -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(request())


threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
