"""A worker has a task cancelled in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(asyncio.sleep(60))

    def worker() -> None:
        loop.call_soon_threadsafe(task.cancel)

    await asyncio.to_thread(worker)
    await asyncio.wait([task])
    assert task.cancelled()


asyncio.run(main())
