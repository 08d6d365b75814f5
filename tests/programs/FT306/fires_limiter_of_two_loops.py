"""A capacity limiter of anyio, made in one run and used in two at once."""

import asyncio
import threading

import anyio

limiters: list[anyio.CapacityLimiter] = []
made, used = threading.Event(), threading.Event()


async def owner() -> None:
    limiters.append(anyio.CapacityLimiter(1))
    async with limiters[0]:  # owner
        made.set()
        used.wait()  # owner


async def other() -> None:
    await asyncio.to_thread(made.wait)
    limiters[0].acquire_on_behalf_of_nowait("somebody")  # offending: acquire_on_behalf_of_nowait


def run_other() -> None:
    try:
        anyio.run(other)
    except anyio.WouldBlock:
        pass
    finally:
        used.set()


thread = threading.Thread(target=run_other)
thread.start()
anyio.run(owner)
thread.join()
