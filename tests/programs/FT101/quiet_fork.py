"""A child inherits a running loop's memory but runs no loop: what it does with copies is its own business."""

import asyncio
import os


async def main() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    pid = os.fork()
    if pid == 0:
        future.cancel()
        asyncio.run(asyncio.sleep(0))
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


asyncio.run(main())
