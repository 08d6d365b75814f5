"""The method is what a thread begins with, but not as a target: the line of the program is the one that started the thread."""

import _thread
import asyncio
import sched
import threading
import time
from collections.abc import Callable


class Runs(threading.Thread):
    """Runs what it is made with."""

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__()
        self.run = function  # type: ignore[method-assign]


async def main() -> None:
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(4)]  # created
    _thread.start_new_thread(futures[0].set_result, (1,))  # offending: set_result
    while not futures[0].done():
        await asyncio.sleep(0)
    _thread.start_joinable_thread(futures[1].cancel).join()  # offending: cancel
    thread = Runs(futures[2].cancel)
    thread.start()  # offending: cancel
    thread.join()
    later = sched.scheduler(time.monotonic)
    later.enter(0, 1, futures[3].set_result, (1,))  # offending: set_result
    await asyncio.to_thread(later.run)


asyncio.run(main())
