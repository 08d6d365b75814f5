"""is_closed() is asked under a lock that the thread which closes the loop does not take: a `with` may suppress the refusal."""

import asyncio
import contextlib
import threading

lock = threading.Lock()
loop = asyncio.new_event_loop()


def notify() -> None:
    with lock:
        if not loop.is_closed():
            closer = threading.Thread(target=loop.close)
            closer.start()
            closer.join()
            loop.call_soon_threadsafe(int)  # offending: call_soon_threadsafe


with contextlib.suppress(RuntimeError):
    notify()
