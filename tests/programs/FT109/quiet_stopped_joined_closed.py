"""Stop it thread-safely, join its thread, then close it; and run one loop in one thread after another."""

import asyncio
import threading

loop = asyncio.new_event_loop()
for _ in range(3):
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
loop.run_until_complete(asyncio.sleep(0))
loop.close()
