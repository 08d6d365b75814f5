"""The same methods of a task that is written in Python, which has them from the futures."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.tasks._PyTask(asyncio.sleep(60), loop=loop)  # created
    await asyncio.sleep(0)

    def worker() -> None:
        task.add_done_callback(print)  # offending: add_done_callback
        task.remove_done_callback(print)  # offending: remove_done_callback

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    task.cancel()


asyncio.run(main())
