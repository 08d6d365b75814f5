"""Calls that asyncio documents as callable from any thread, and plain questions."""

import asyncio
import concurrent.futures
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    done = threading.Event()

    def worker() -> None:
        loop.call_soon_threadsafe(int)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
        asyncio.wrap_future(concurrent.futures.Future(), loop=loop)
        assert asyncio.all_tasks(loop)
        assert loop.is_running() and not loop.is_closed() and not loop.get_debug()
        assert loop.time() > 0 and repr(loop)
        assert loop.get_exception_handler() is None and loop.get_task_factory() is None
        done.set()

    thread = threading.Thread(target=worker)
    thread.start()
    assert await asyncio.to_thread(done.wait, 5)
    await asyncio.to_thread(thread.join)


asyncio.run(main())
