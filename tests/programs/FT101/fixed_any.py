"""A worker hands calls over to the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(None)

    def worker() -> None:
        loop.call_soon_threadsafe(loop.set_debug, True)
        loop.call_soon_threadsafe(loop.set_debug, False)

    await asyncio.to_thread(worker)
    await asyncio.sleep(0.001)


asyncio.run(main())
