"""Questions to primitives from another thread."""

import asyncio
import threading


async def main() -> None:
    event, queue, lock, semaphore = asyncio.Event(), asyncio.Queue(), asyncio.Lock(), asyncio.Semaphore()
    queue.put_nowait(1)
    async with lock:

        def worker() -> None:
            assert not event.is_set() and lock.locked() and not semaphore.locked()
            assert queue.qsize() == 1 and not queue.empty() and not queue.full()
            assert all(map(repr, (event, queue, lock, semaphore)))

        thread = threading.Thread(target=worker)
        thread.start()
        await asyncio.to_thread(thread.join)


asyncio.run(main())
