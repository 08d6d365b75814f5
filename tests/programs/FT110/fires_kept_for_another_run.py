"""Objects and the loop itself are kept from one run to the next one, and used there: directly, by functions, in tasks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable


class Kept:
    """Made in the first run."""

    def __init__(self) -> None:
        self.lock, self.event, self.loop = asyncio.Lock(), asyncio.Event(), asyncio.get_running_loop()
        self.future = self.loop.create_future()

    async def bind(self) -> None:
        await self.lock.acquire()
        for wait in (self.lock.acquire, self.event.wait):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await wait()

    async def locked(self) -> None:
        async with self.lock:  # offending: acquire
            pass

    async def evented(self) -> None:
        await asyncio.create_task(self.event.wait())  # offending: wait

    async def waited(self) -> None:
        await asyncio.wait_for(self.future, 0.01)  # offending: wait_for

    async def gathered(self) -> None:
        await asyncio.gather(self.future)  # offending: gather

    async def executed(self) -> None:
        await self.loop.run_in_executor(None, int)  # offending: run_in_executor


kept: list[Kept] = []


async def first() -> None:
    kept.append(Kept())
    await kept[0].bind()


async def second() -> None:
    uses: list[Callable[[], Awaitable[None]]] = [
        kept[0].locked,
        kept[0].evented,
        kept[0].waited,
        kept[0].gathered,
        kept[0].executed,
    ]
    for use in uses:
        with contextlib.suppress(RuntimeError, ValueError, TimeoutError):
            await use()


asyncio.run(first())
asyncio.run(second())
