"""A task group that another thread cancels.

SINCE: 3.15
"""

import asyncio
import threading


async def main() -> None:
    async with asyncio.TaskGroup() as group:  # created
        sleeping = group.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        thread = threading.Thread(target=lambda: group.cancel())  # offending: cancel
        thread.start()  # owner
        thread.join()  # owner
    assert sleeping.cancelled()


asyncio.run(main())
