"""The handle that call_soon_threadsafe returns may be cancelled from anywhere."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    timer = loop.call_later(60, print)

    def worker() -> None:
        loop.call_soon_threadsafe(int).cancel()
        loop.call_soon_threadsafe(timer.cancel)
        assert not timer.cancelled() or timer.when()

    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(thread.join)


asyncio.run(main())
