"""The executor of a loop is shut down in the loop, before it stops."""

import asyncio
import threading

loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
