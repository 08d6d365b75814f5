"""Async generators: each loop has its own; and one that two threads step, under a lock."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from ftsan.testing import run

lock = threading.Lock()


async def numbers() -> AsyncIterator[int]:
    for number in range(4):
        yield number


shared = numbers()


async def consume() -> None:
    async for _ in numbers():
        pass


def step() -> None:
    with lock, contextlib.suppress(StopIteration):
        shared.__anext__().send(None)


run(lambda: asyncio.run(consume()), lambda: asyncio.run(consume()))
run(step, step)
