"""sanic-org/sanic#1388: an asyncio.Lock of the module is used by workers with a loop each: "attached to a different loop".

Proposed: a lock that is made in the loop that uses it.
"""

import asyncio
import contextlib
import sys
import threading

lock = asyncio.Lock()
inside, leave = threading.Event(), threading.Event()


async def first() -> None:
    async with lock if sys.argv[1] == "bad" else asyncio.Lock():
        inside.set()
        await asyncio.to_thread(leave.wait)


async def second() -> None:
    with contextlib.suppress(TimeoutError, RuntimeError):
        async with asyncio.timeout(0.1), lock if sys.argv[1] == "bad" else asyncio.Lock():  # offending: FT106
            pass


thread = threading.Thread(target=lambda: asyncio.run(first()))
thread.start()
inside.wait()
asyncio.run(second())
leave.set()
thread.join()
