"""A worker makes a future of concurrent.futures, which the loop awaits."""

import asyncio
import concurrent.futures


async def main() -> None:
    made: list[concurrent.futures.Future[int]] = []

    def worker() -> None:
        future = concurrent.futures.Future[int]()
        future.set_result(42)
        made.append(future)

    await asyncio.to_thread(worker)
    assert await asyncio.wrap_future(made[0]) == 42


asyncio.run(main())
