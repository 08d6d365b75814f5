"""An await under a lock that never suspends: what it awaits is done, or never waits itself."""

import asyncio
import threading

lock = threading.Lock()


async def compute(number: int) -> int:
    return number + 1


async def main() -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()
    future.set_result(1)
    with lock:
        assert await compute(await future) == 2


asyncio.run(main())
