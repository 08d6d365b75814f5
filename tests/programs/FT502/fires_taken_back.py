"""Held once, released, and acquired again before the next await."""

import asyncio
import threading

lock = threading.Lock()


async def main() -> None:
    with lock:
        pass
    await asyncio.sleep(0)
    lock.acquire()
    lock.release()
    lock.acquire()
    await asyncio.sleep(0)  # offending: await
    await asyncio.sleep(0)
    lock.release()


asyncio.run(main())
