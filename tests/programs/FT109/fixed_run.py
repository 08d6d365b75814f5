"""Each thread runs a loop of its own."""

import asyncio
import threading

threads = [threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0.01))) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
