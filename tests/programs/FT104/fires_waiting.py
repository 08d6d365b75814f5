"""A future of one loop awaited, waited for, gathered and shielded elsewhere; asyncio itself raises for the first only."""

import asyncio
import contextlib
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()  # created

    async def elsewhere() -> None:
        with contextlib.suppress(RuntimeError):
            await future  # offending: await
        with contextlib.suppress(RuntimeError, ValueError):
            await asyncio.wait([future], timeout=0.01)  # offending: wait
        with contextlib.suppress(RuntimeError, ValueError, TimeoutError):
            await asyncio.wait_for(future, 0.01)  # offending: wait_for
        asyncio.shield(future)  # offending: shield

    def plain() -> None:
        asyncio.run(elsewhere())
        asyncio.gather(future)  # offending: gather

    thread = threading.Thread(target=plain)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    future.cancel()


asyncio.run(main())
