"""The program's own hook for asynchronous generators creates a task in whichever thread collects garbage."""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncGenerator


async def numbers() -> AsyncGenerator[int]:
    yield 1
    yield 2


async def main() -> None:
    loop = asyncio.get_running_loop()
    gc.disable()

    def finalizer(generator: AsyncGenerator[int]) -> None:
        loop.create_task(generator.aclose())  # offending: create_task

    sys.set_asyncgen_hooks(finalizer=finalizer)
    cycle: list[object] = [numbers()]
    await anext(cycle[0])
    cycle.append(cycle)
    del cycle
    thread = threading.Thread(target=gc.collect)
    thread.start()  # owner
    thread.join()  # owner
    await asyncio.sleep(0)


asyncio.run(main())
