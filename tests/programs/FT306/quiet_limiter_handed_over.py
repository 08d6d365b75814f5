"""A capacity limiter of anyio, made in one run and used in another one, while the first one goes on without it."""

import threading

import anyio
import anyio.to_thread

limiters: list[anyio.CapacityLimiter] = []
made, used = threading.Event(), threading.Event()


async def maker() -> None:
    limiters.append(anyio.CapacityLimiter(1))
    made.set()
    used.wait()


async def user() -> None:
    await anyio.to_thread.run_sync(made.wait)
    async with limiters[0]:
        limiters[0].total_tokens = 2


def run_user() -> None:
    anyio.run(user)
    used.set()


thread = threading.Thread(target=run_user)
thread.start()
anyio.run(maker)
thread.join()
