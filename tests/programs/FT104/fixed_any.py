"""Another loop waits for a future of this one by a coroutine that awaits it here."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_later(0.01, future.set_result, 42)

    async def waits() -> int:
        return await future

    async def elsewhere() -> int:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(waits(), loop))

    def worker() -> None:
        assert asyncio.run(elsewhere()) == 42

    await asyncio.to_thread(worker)


asyncio.run(main())
