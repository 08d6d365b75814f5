"""A coroutine that waits for a future of a loop is closed by another thread, while it is suspended."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any


async def waits() -> None:
    await asyncio.get_running_loop().create_future()


def misuse(coroutine: Coroutine[Any, Any, None]) -> None:
    coroutine.close()  # offending: close


async def main() -> None:
    coroutine = waits()
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(0)
    thread = threading.Thread(target=misuse, args=(coroutine,))
    thread.start()  # owner
    thread.join()  # owner
    task.cancel()


asyncio.run(main())
