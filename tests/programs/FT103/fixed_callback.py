"""A worker has a callback added to a task in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(asyncio.sleep(0.01))
    called = asyncio.Event()

    def worker() -> None:
        loop.call_soon_threadsafe(task.add_done_callback, lambda _: called.set())

    await asyncio.to_thread(worker)
    await called.wait()


asyncio.run(main())
