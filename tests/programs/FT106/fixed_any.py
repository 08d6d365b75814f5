"""A worker has an event set in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def worker() -> None:
        loop.call_soon_threadsafe(event.set)

    await asyncio.to_thread(worker)
    await event.wait()


asyncio.run(main())
