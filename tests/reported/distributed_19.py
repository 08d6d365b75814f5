"""dask/distributed#19: tornado's queues are filled across threads with put_nowait.

Proposed: loop.add_callback(queue.put_nowait, ...).
"""

import asyncio
import sys

from tornado.ioloop import IOLoop
from tornado.queues import Queue


async def main() -> None:
    loop, queue = IOLoop.current(), Queue[str]()

    def worker() -> None:
        if sys.argv[1] == "bad":
            queue.put_nowait("message")  # offending: FT106
        else:
            loop.add_callback(queue.put_nowait, "message")

    await loop.run_in_executor(None, worker)
    assert await queue.get() == "message"


asyncio.run(main())
