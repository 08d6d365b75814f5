"""A thread that does not run the loop adds a callback to a task, and takes it away again."""

import asyncio
import threading


async def main() -> None:
    task = asyncio.create_task(asyncio.sleep(60))  # created
    await asyncio.sleep(0)

    def worker() -> None:
        task.add_done_callback(print)  # offending: add_done_callback
        task.remove_done_callback(print)  # offending: remove_done_callback

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    task.cancel()


asyncio.run(main())
