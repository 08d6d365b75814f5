"""gather in a foreign loop raises ValueError before it touches the future: loud, but not reported."""

import asyncio
import contextlib
import threading


async def main() -> None:
    future = asyncio.get_running_loop().create_future()

    async def elsewhere() -> None:
        with contextlib.suppress(ValueError):
            asyncio.gather(future)  # offending: gather

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    await asyncio.to_thread(thread.join)


asyncio.run(main())
