"""A future that is done registers nothing anywhere; run_coroutine_threadsafe and wrap_future are the way to wait across loops."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    done.set_result(1)

    async def elsewhere() -> None:
        assert await done == 1
        assert await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01, 2), loop)) == 2

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    await asyncio.to_thread(thread.join)


asyncio.run(main())
