"""The lock is taken after the await."""

import asyncio
import threading

lock = threading.Lock()
data: list[int] = []


async def refresh() -> None:
    await asyncio.sleep(0.001)
    with lock:
        data.append(1)


async def main() -> None:
    await asyncio.gather(refresh(), refresh())


thread = threading.Thread(target=lambda: asyncio.run(main()))
thread.start()
with lock:
    data.append(0)
thread.join()
