"""MagicStack/uvloop#76: segmentation faults; a thread schedules with loop.call_later.

Proposed: loop.call_soon_threadsafe(loop.call_later, ...).
"""

import asyncio
import sys
import threading


async def main() -> None:
    loop, called = asyncio.get_running_loop(), asyncio.Event()

    def launcher() -> None:
        if sys.argv[1] == "bad":
            loop.call_later(0.01, called.set)  # offending: FT101
        else:
            loop.call_soon_threadsafe(loop.call_later, 0.01, called.set)

    thread = threading.Thread(target=launcher)
    thread.start()
    await asyncio.to_thread(thread.join)
    await asyncio.wait_for(called.wait(), 5)


asyncio.run(main())
