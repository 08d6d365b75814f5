"""A lock that the thread acquired before it ran the loop: nobody starts a second loop meanwhile."""

import asyncio
import threading

only_one = threading.Lock()
together = threading.RLock()


async def main() -> None:
    await asyncio.sleep(0)
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))


def run() -> None:
    with only_one:
        asyncio.run(main())
    together.acquire()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    together.release()


threads = [threading.Thread(target=run) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
