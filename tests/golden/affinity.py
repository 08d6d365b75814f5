"""A loop called by a thread that does not run it, while the loop's own thread waits for that thread."""

import asyncio
import threading

from ftsan.testing import wait_until_blocked


async def main() -> None:
    loop = asyncio.get_running_loop()

    def work() -> None:
        wait_until_blocked(threading.main_thread())
        loop.call_soon(print)

    worker = threading.Thread(target=work, name="worker")
    worker.start()
    worker.join()


asyncio.run(main())
