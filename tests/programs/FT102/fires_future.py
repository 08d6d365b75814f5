"""A future settled or given callbacks from a thread that does not run its loop; C-accelerated and pure Python alike."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()

    def make(kind: type) -> list:
        return [kind(loop=loop) for _ in range(6)]  # created

    def worker(futures: list) -> None:
        futures[0].set_result(1)  # offending: set_result
        futures[1].set_result(1)  # offending: set_result
        futures[2].set_exception(ValueError())  # offending: set_exception
        futures[3].cancel()  # offending: cancel
        futures[4].add_done_callback(print)  # offending: add_done_callback
        futures[5].remove_done_callback(print)  # offending: remove_done_callback

    for kind in (asyncio.futures._CFuture, asyncio.futures._PyFuture):
        futures = make(kind)
        futures[1].add_done_callback(lambda _: None)
        thread = threading.Thread(target=worker, args=(futures,))
        thread.start()  # owner
        await asyncio.to_thread(thread.join)  # owner
        futures[2].exception()


asyncio.run(main())
