"""A worker has a child process killed in the thread of the loop."""

import asyncio
import sys


async def main() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.subprocess_exec(asyncio.SubprocessProtocol, sys.executable, "-S", "-c", "import time; time.sleep(60)")

    def worker() -> None:
        loop.call_soon_threadsafe(transport.kill)

    await asyncio.to_thread(worker)
    while transport.get_returncode() is None:
        await asyncio.sleep(0.01)
    transport.close()


asyncio.run(main())
