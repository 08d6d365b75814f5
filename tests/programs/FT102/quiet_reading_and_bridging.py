"""Reading a future from another thread, and futures that are made for threads."""

import asyncio
import concurrent.futures
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    bridge: concurrent.futures.Future[int] = concurrent.futures.Future()

    def worker() -> None:
        assert not future.done() and not future.cancelled() and repr(future)
        assert future.get_loop() is loop
        loop.call_soon_threadsafe(future.set_result, 1)
        bridge.set_result(2)

    thread = threading.Thread(target=worker)
    thread.start()
    assert await future == 1
    assert await asyncio.wrap_future(bridge) == 2
    await asyncio.to_thread(thread.join)


asyncio.run(main())
