"""A worker runs a coroutine in the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()

    async def answer() -> int:
        return 42

    def worker() -> None:
        assert asyncio.run_coroutine_threadsafe(answer(), loop).result() == 42

    await asyncio.to_thread(worker)


asyncio.run(main())
