"""The pure Python Future awaited in a foreign loop."""

import asyncio
import contextlib
import threading


async def main() -> None:
    future = asyncio.futures._PyFuture(loop=asyncio.get_running_loop())  # created

    async def elsewhere() -> None:
        with contextlib.suppress(RuntimeError):
            await future  # offending: __await__

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    future.cancel()


asyncio.run(main())
