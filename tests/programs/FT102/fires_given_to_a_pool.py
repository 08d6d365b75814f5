"""The method is what a pool or a future is given to call: the line of the program is the one that gave it, of several the right."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool


async def main() -> None:
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(10)]  # created
    with ThreadPool(1) as threads, ThreadPoolExecutor(1) as executor:
        threads.apply_async(int, callback=futures[0].set_result).wait()  # offending: set_result
        threads.map_async(int, "12", callback=futures[1].set_result).wait()  # offending: set_result
        threads.apply_async(int, "x", error_callback=futures[2].set_exception).wait()  # offending: set_exception
        threads.apply(futures[3].set_result, (1,))  # offending: set_result
        threads.map(futures[4].set_result, [1])  # offending: set_result
        list(threads.imap(futures[5].set_result, [1]))  # offending: set_result
        list(threads.imap_unordered(futures[6].set_result, [1]))  # offending: set_result
        source = Future[int]()
        source.add_done_callback(futures[7].set_result)  # offending: set_result
        source.add_done_callback(fn=futures[8].set_result)  # offending: set_result
        executor.submit(source.set_result, 1).result()
        executor.submit(int).add_done_callback(int)
        source = Future[int]()
        source.set_result(1)
        source.add_done_callback(futures[9].set_result)
    futures[2].exception()


asyncio.run(main())
