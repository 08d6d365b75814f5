"""A worker awaits a coroutine method of the loop in the loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()

    async def find() -> int:
        return len(await loop.getaddrinfo("127.0.0.1", 80))

    def worker() -> None:
        assert asyncio.run_coroutine_threadsafe(find(), loop).result() > 0

    await asyncio.to_thread(worker)


asyncio.run(main())
