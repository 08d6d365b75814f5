"""is_closed() says no, then the loop is closed, then call_soon_threadsafe raises: the check and the act are not one."""

import asyncio
import contextlib
import threading


def stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def notify(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(int)  # offending: call_soon_threadsafe


def ask_and_notify() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    if not loop.is_closed():
        stopper = threading.Thread(target=stop, args=(loop, thread))
        stopper.start()
        stopper.join()
        str(loop)
        notify(loop)


with contextlib.suppress(RuntimeError):
    ask_and_notify()


async def ask_and_await() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    if not loop.is_closed():
        await asyncio.to_thread(stop, loop, thread)
        asyncio.run_coroutine_threadsafe(coroutine, loop)  # offending: call_soon_threadsafe


coroutine = asyncio.sleep(0)
with contextlib.suppress(RuntimeError):
    asyncio.run(ask_and_await())
coroutine.close()
