"""A loop is stopped by its own thread, joined, and closed then."""

import asyncio
import threading

loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
