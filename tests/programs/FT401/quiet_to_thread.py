"""A function that asyncio.to_thread or run_in_executor runs comes after what was done before, and before what follows the await."""

import asyncio
import threading
from types import SimpleNamespace

import uvloop

shared = SimpleNamespace(n=0)


def bump() -> None:
    shared.n += 1


async def main() -> None:
    loop = asyncio.get_running_loop()
    for _ in range(10):
        bump()
        await asyncio.to_thread(bump)
        bump()
        await loop.run_in_executor(None, bump)
        bump()


for run in (asyncio.run, uvloop.run):
    thread = threading.Thread(target=lambda run=run: run(main()))
    thread.start()
    thread.join()
assert shared.n == 100
