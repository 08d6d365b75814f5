"""A worker runs a coroutine as a task of the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    assert loop.is_running()

    def worker() -> None:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()

    await asyncio.to_thread(worker)


asyncio.run(main())
