"""A worker has a callback added in the thread of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    called = asyncio.Event()

    def worker() -> None:
        loop.call_soon_threadsafe(future.add_done_callback, lambda _: called.set())

    await asyncio.to_thread(worker)
    future.set_result(1)
    await called.wait()


asyncio.run(main())
