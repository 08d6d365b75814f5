"""Each thread and each task has its own value of a ContextVar."""

import asyncio
import contextvars
import threading

depth = contextvars.ContextVar("depth", default=0)


def enter() -> None:
    token = depth.set(depth.get() + 1)
    assert depth.get() == 1
    depth.reset(token)


async def task() -> None:
    depth.set(depth.get() + 1)
    await asyncio.sleep(0)
    assert depth.get() == 1


async def main() -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(task())


def worker() -> None:
    for _ in range(50):
        enter()
        contextvars.copy_context().run(enter)
    asyncio.run(main())


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
