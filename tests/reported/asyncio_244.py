"""python/asyncio#244: a loop in a thread is stopped from outside with loop.stop(), and hangs now and then.

Proposed: loop.call_soon_threadsafe(loop.stop).
"""

import asyncio
import sys
import threading

loop, running = asyncio.new_event_loop(), threading.Event()
loop.call_soon(running.set)
thread = threading.Thread(target=loop.run_forever)
thread.start()
running.wait()
if sys.argv[1] == "bad":
    loop.stop()  # offending: FT101
    loop.call_soon_threadsafe(lambda: None)
else:
    loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
