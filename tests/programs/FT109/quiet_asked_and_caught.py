"""A function asks is_closed() to spare the call, and knows that it may be refused all the same."""

import asyncio
import contextlib
import threading

loop = asyncio.new_event_loop()
is_asked = threading.Event()


def run() -> None:
    loop.run_until_complete(asyncio.sleep(0))
    is_asked.wait()
    loop.close()


thread = threading.Thread(target=run)
thread.start()
if not loop.is_closed():
    is_asked.set()
    thread.join()
    try:
        loop.call_soon_threadsafe(int)
    except RuntimeError as error:
        assert "closed" in str(error)
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(int)
