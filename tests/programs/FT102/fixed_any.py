"""A worker has a future settled in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def worker() -> None:
        loop.call_soon_threadsafe(future.set_result, 42)

    await asyncio.to_thread(worker)
    assert await future == 42


asyncio.run(main())
