"""A worker notifies in the loop, with the condition held."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    condition = asyncio.Condition()

    async def wait() -> None:
        async with condition:
            await condition.wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)

    def worker() -> None:
        async def notify() -> None:
            async with condition:
                condition.notify_all()

        asyncio.run_coroutine_threadsafe(notify(), loop).result()

    await asyncio.to_thread(worker)
    await waiting


asyncio.run(main())
