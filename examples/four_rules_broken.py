"""The four rules of CPython's guide "asyncio and free-threaded Python", each broken once."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(asyncio.sleep(60))
    event = asyncio.Event()

    def worker() -> None:
        loop.call_later(60, print)  # 1. a loop belongs to one thread
        task.cancel()  # 2. tasks and futures are not manipulated from another thread
        loop.call_soon(print)  # 3. from another thread: call_soon_threadsafe
        event.set()  # 4. asyncio's primitives do not synchronize threads

    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(thread.join)


asyncio.run(main())
