"""python/cpython#116654: a function in an executor puts into an asyncio.Queue whose reader sleeps in the selector.

Proposed: call_soon_threadsafe.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor


async def main() -> None:
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[int]()

    def putter() -> None:
        for number in range(3):
            if sys.argv[1] == "bad":
                queue.put_nowait(number)  # offending: FT106
            else:
                loop.call_soon_threadsafe(queue.put_nowait, number)

    getter = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    with ThreadPoolExecutor(1) as pool:
        await loop.run_in_executor(pool, putter)
    assert await asyncio.wait_for(getter, 5) == 0


asyncio.run(main())
