"""Tasks of one loop share without locks: one thread runs them all."""

import asyncio
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


async def task() -> None:
    for _ in range(20):
        shared.n += 1
        await asyncio.sleep(0)


async def main() -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(task())


def run() -> None:
    asyncio.run(main())


for _ in range(2):
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
assert shared.n == 200
