"""The method itself is what another thread is given to call: the line of the program is the one that gave it."""

import asyncio
import functools
import gc
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor


class Watched:
    """Something that dies."""

    def __init__(self) -> None:
        self.cycle = self


async def main() -> None:
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(8)]  # created
    with ThreadPoolExecutor(1) as pool:
        thread = threading.Thread(target=futures[0].set_result, args=(1,))
        thread.start()  # offending: set_result
        thread.join()
        pool.submit(futures[1].set_result, 1).result()  # offending: set_result
        await loop.run_in_executor(None, futures[2].set_exception, KeyError())  # offending: set_exception
        await asyncio.to_thread(functools.partial(futures[3].set_result, 1))  # offending: set_result
        list(pool.map(futures[4].set_result, [1]))  # offending: set_result
        timer = threading.Timer(0.01, futures[5].cancel)
        timer.start()  # offending: cancel
        timer.join()
        source = Future[int]()
        source.add_done_callback(futures[6].set_result)  # offending: set_result
        pool.submit(source.set_result, 1).result()
        watched = Watched()
        weakref.finalize(watched, futures[7].cancel)  # offending: cancel
        del watched
        await asyncio.to_thread(gc.collect)
    futures[2].exception()


asyncio.run(main())
