"""Threads set events of trio and anyio in their runs: those of `to_thread`, and the program's own, which have a token or a portal.

ALSO: FT503
"""

import threading

import anyio
import anyio.from_thread
import anyio.lowlevel
import trio


async def with_trio() -> None:
    events = [trio.Event() for _ in range(2)]
    token = trio.lowlevel.current_trio_token()

    def worker() -> None:
        trio.from_thread.run_sync(events[0].set)

    own = threading.Thread(target=lambda: trio.from_thread.run_sync(events[1].set, trio_token=token))
    own.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, worker)
        for event in events:
            await event.wait()
    await trio.to_thread.run_sync(own.join)


async def with_anyio() -> None:
    events = [anyio.Event() for _ in range(3)]
    token = anyio.lowlevel.current_token()
    async with anyio.from_thread.BlockingPortal() as portal:
        own = [
            threading.Thread(target=lambda: anyio.from_thread.run_sync(events[0].set, token=token)),
            threading.Thread(target=lambda: portal.call(events[1].set)),
        ]
        for thread in own:
            thread.start()
        await anyio.to_thread.run_sync(lambda: anyio.from_thread.run_sync(events[2].set))
        for event in events:
            await event.wait()
        for thread in own:
            await anyio.to_thread.run_sync(thread.join)


trio.run(with_trio)
for backend in ("asyncio", "trio"):
    anyio.run(with_anyio, backend=backend)
