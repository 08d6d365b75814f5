"""A worker has a timer cancelled in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    timer = loop.call_later(60, int)

    def worker() -> None:
        loop.call_soon_threadsafe(timer.cancel)

    await asyncio.to_thread(worker)
    await asyncio.sleep(0)
    assert timer.cancelled()


asyncio.run(main())
