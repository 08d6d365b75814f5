"""asyncio asked is_closed() when a job was done and when a loop was shown, and functions that have returned did, to no effect."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(1)


def notify(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(int)


def settle(loop: asyncio.AbstractEventLoop) -> None:
    with contextlib.suppress(RuntimeError):
        notify(loop)


async def wait_for_the_pool() -> asyncio.AbstractEventLoop:
    loop, go = asyncio.get_running_loop(), threading.Event()
    future = loop.run_in_executor(pool, go.wait)
    go.set()
    await future
    return loop


# The pool's thread settles the future of the loop: it asks there.
of_pool = asyncio.run(wait_for_the_pool())
pool.submit(settle, of_pool).result()
pool.shutdown()


def use(loop: asyncio.AbstractEventLoop, is_question: bool) -> bool:
    if is_question:
        return loop.is_closed()
    loop.call_soon_threadsafe(int)
    return True


def show(loop: asyncio.AbstractEventLoop) -> str:
    return "closed" if loop.is_closed() else str(loop)


loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
assert "running" in str(loop)
show(loop)
loop.call_soon_threadsafe(loop.stop)
thread.join()
closer = threading.Thread(target=loop.close)
closer.start()
closer.join()
settle(loop)

unused = asyncio.new_event_loop()
use(unused, True)
closer = threading.Thread(target=unused.close)
closer.start()
closer.join()
with contextlib.suppress(RuntimeError):
    use(unused, False)
