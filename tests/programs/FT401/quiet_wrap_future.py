"""A concurrent future that a thread settles, awaited in a loop by way of wrap_future; loop.shutdown_default_executor."""

import asyncio
import threading
from concurrent.futures import Future
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def settle(future: Future[int]) -> None:
    shared.n += 1
    future.set_result(1)


async def main() -> None:
    for _ in range(10):
        shared.n += 1
        future: Future[int] = Future()
        thread = threading.Thread(target=settle, args=(future,))
        thread.start()
        assert await asyncio.wrap_future(future) == 1
        shared.n += 1
        thread.join()


thread = threading.Thread(target=lambda: asyncio.run(main()))
thread.start()
thread.join()
assert shared.n == 30
