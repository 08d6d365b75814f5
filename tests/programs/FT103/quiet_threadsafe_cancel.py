"""Cancelling through the loop, and through the future that run_coroutine_threadsafe returns."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(asyncio.sleep(60))

    def worker() -> None:
        assert not task.done() and task.get_name() and repr(task)
        loop.call_soon_threadsafe(task.cancel)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(60), loop).cancel()

    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.wait([task])
    await asyncio.to_thread(thread.join)
    assert task.cancelled()


asyncio.run(main())
