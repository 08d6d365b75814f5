"""A worker schedules a callback thread-safely, which wakes the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    called = asyncio.Event()

    def worker() -> None:
        loop.call_soon_threadsafe(called.set)

    await asyncio.to_thread(worker)
    await called.wait()


asyncio.run(main())
