"""A coroutine runs after what was done before run_coroutine_threadsafe, and result returns after it."""

import asyncio
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


async def bump() -> int:
    shared.n += 1
    await asyncio.sleep(0)
    shared.n += 1
    return 1


def worker(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(20):
        shared.n += 1
        assert asyncio.run_coroutine_threadsafe(bump(), loop).result() == 1
        shared.n += 1


loop = asyncio.new_event_loop()
running = threading.Thread(target=loop.run_forever)
running.start()
thread = threading.Thread(target=worker, args=(loop,))
thread.start()
thread.join()
loop.call_soon_threadsafe(loop.stop)
running.join()
loop.close()
assert shared.n == 80
