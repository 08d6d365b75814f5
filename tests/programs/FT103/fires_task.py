"""A task cancelled or given callbacks from a thread that does not run its loop."""

import asyncio
import threading


async def sleeper() -> None:
    await asyncio.get_running_loop().create_future()


async def main() -> None:
    loop = asyncio.get_running_loop()

    def make(kind: type) -> list:
        return [kind(sleeper(), loop=loop) for _ in range(2)]  # created

    def worker(tasks: list) -> None:
        tasks[0].cancel()  # offending: cancel
        tasks[1].uncancel()  # offending: uncancel

    for kind in (asyncio.tasks._CTask, asyncio.tasks._PyTask):
        tasks = make(kind)
        await asyncio.sleep(0)
        thread = threading.Thread(target=worker, args=(tasks,))
        thread.start()  # owner
        await asyncio.to_thread(thread.join)  # owner
        tasks[1].cancel()
        await asyncio.wait(tasks)


asyncio.run(main())
