"""Threads wait for an event of trio or anyio in its run: one of `to_thread`, and the program's own, with a token or a portal.

ALSO: FT503
"""

import threading

import anyio
import anyio.from_thread
import trio


async def with_trio() -> None:
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def worker() -> None:
        trio.from_thread.run(done.wait)

    own = threading.Thread(target=lambda: trio.from_thread.run(done.wait, trio_token=token))
    own.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, worker)
        await trio.sleep(0)
        done.set()
    await trio.to_thread.run_sync(own.join)


async def with_anyio() -> None:
    done = anyio.Event()
    async with anyio.from_thread.BlockingPortal() as portal:
        own = threading.Thread(target=lambda: portal.call(done.wait))
        own.start()
        done.set()
        await anyio.to_thread.run_sync(own.join)


trio.run(with_trio)
anyio.run(with_anyio)
