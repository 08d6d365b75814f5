"""A loop closed, and run again, by a thread while another thread runs it."""

import asyncio
import contextlib
import threading

loop = asyncio.new_event_loop()  # created
started = threading.Event()
loop.call_soon(started.set)
thread = threading.Thread(target=loop.run_forever)
thread.start()  # owner
started.wait()
with contextlib.suppress(RuntimeError):
    loop.close()  # offending: close
with contextlib.suppress(RuntimeError):
    loop.run_forever()  # offending: run_forever
with contextlib.suppress(RuntimeError):
    loop.run_until_complete(None)  # type: ignore[arg-type]  # offending: run_until_complete
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
