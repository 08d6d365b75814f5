"""A worker makes a future of concurrent.futures in place of one of the loop."""

import asyncio
import concurrent.futures


async def main() -> None:
    made: list[concurrent.futures.Future[int]] = []

    def worker() -> None:
        made.append(concurrent.futures.Future())

    await asyncio.to_thread(worker)
    made[0].set_result(42)
    assert await asyncio.wrap_future(made[0]) == 42


asyncio.run(main())
