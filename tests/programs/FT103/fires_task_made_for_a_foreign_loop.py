"""A task constructed for a loop that another thread runs; with eager_start its first step would run right here."""

import asyncio
import contextlib
import threading


async def nothing() -> None:
    pass


async def main() -> None:
    loop = asyncio.get_running_loop()

    def worker() -> None:
        asyncio.Task(nothing(), loop=loop)  # offending: __init__
        with contextlib.suppress(RuntimeError):
            asyncio.Task(nothing(), loop=loop, eager_start=True)  # offending: __init__

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner


asyncio.run(main())
