"""A worker has a timer made in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    called = asyncio.Event()

    def worker() -> None:
        loop.call_soon_threadsafe(loop.call_later, 0.001, called.set)

    await asyncio.to_thread(worker)
    await called.wait()


asyncio.run(main())
