"""Timers cancelled from a thread that does not run their loop."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    later = loop.call_later(60, print)  # created
    at = loop.call_at(loop.time() + 60, print)  # created

    def worker() -> None:
        later.cancel()  # offending: cancel
        at.cancel()  # offending: cancel

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner


asyncio.run(main())
