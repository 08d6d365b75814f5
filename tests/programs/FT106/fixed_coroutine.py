"""A worker takes from a queue in its loop, and so does one that runs a loop itself, which goes on meanwhile."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue[int]()
    for number in (42, 43):
        queue.put_nowait(number)

    async def take() -> int:
        return await queue.get()

    def worker() -> None:
        assert asyncio.run_coroutine_threadsafe(take(), loop).result() == 42

    async def await_it() -> None:
        assert await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(take(), loop)) == 43

    await asyncio.to_thread(worker)
    await asyncio.to_thread(asyncio.run, await_it())


asyncio.run(main())
