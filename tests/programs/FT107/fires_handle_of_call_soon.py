"""A handle of call_soon cancelled from a foreign thread.  It lives for one iteration: where it was made is not recorded."""

import asyncio
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    handle = loop.call_soon(int)
    thread = threading.Thread(target=lambda: handle.cancel())  # offending: cancel
    thread.start()  # owner
    thread.join()  # owner


asyncio.run(main())
