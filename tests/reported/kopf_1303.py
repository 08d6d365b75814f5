"""nolar/kopf#1303: an event is put into an asyncio.Queue by a handler in a thread, and the loop is only woken up for it.

Proposed: the loop puts it there itself.
"""

import asyncio
import sys


async def main() -> None:
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[str]()

    def bad() -> None:
        queue.put_nowait("event")  # offending: FT106
        loop.call_soon_threadsafe(lambda: None)

    def fixed() -> None:
        loop.call_soon_threadsafe(queue.put_nowait, "event")

    await asyncio.to_thread({"bad": bad, "fixed": fixed}[sys.argv[1]])
    assert await queue.get() == "event"


asyncio.run(main())
