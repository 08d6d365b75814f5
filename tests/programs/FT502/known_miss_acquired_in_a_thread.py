"""A lock that a task lets a worker thread acquire, so as not to stop the loop, and that it holds itself then."""

import asyncio
import threading

lock = threading.Lock()


async def main() -> None:
    await asyncio.to_thread(lock.acquire)
    await asyncio.sleep(0)  # offending: await
    lock.release()


asyncio.run(main())
