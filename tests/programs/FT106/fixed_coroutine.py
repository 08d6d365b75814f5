"""A worker takes from a queue in its loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue[int]()
    queue.put_nowait(42)

    def worker() -> None:
        async def take() -> int:
            return await queue.get()

        assert asyncio.run_coroutine_threadsafe(take(), loop).result() == 42

    await asyncio.to_thread(worker)


asyncio.run(main())
