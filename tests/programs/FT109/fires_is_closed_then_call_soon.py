"""is_closed() says no, then the loop is closed, then call_soon_threadsafe raises: the check and the act are not one."""

import asyncio
import contextlib
import threading

loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
if not loop.is_closed():
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    closer = threading.Thread(target=loop.close)
    closer.start()
    closer.join()
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(int)  # offending: call_soon_threadsafe
