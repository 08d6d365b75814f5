"""python/cpython#97970: `await queue.put()` in the loop of another thread never wakes the one that waits in get().

Proposed: run_coroutine_threadsafe(queue.put(...), loop).
"""

import asyncio
import sys
import threading


async def main() -> None:
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[int]()
    getter = asyncio.create_task(queue.get())
    await asyncio.sleep(0)

    async def elsewhere() -> None:
        if sys.argv[1] == "bad":
            await queue.put(1)  # offending: FT106
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(queue.put(1), loop))

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    await asyncio.to_thread(thread.join)
    assert await asyncio.wait_for(getter, 5) == 1


asyncio.run(main())
