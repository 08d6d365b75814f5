"""A lock acquired by a call, in a helper and in `__aenter__`, and still held at an await."""

import asyncio
import threading

lock = threading.Lock()


def take() -> None:
    lock.acquire()


class Session:
    async def __aenter__(self) -> None:
        lock.acquire()

    async def __aexit__(self, *error: object) -> None:
        lock.release()


async def main() -> None:
    take()
    try:
        await asyncio.sleep(0)  # offending: await
    finally:
        lock.release()
    async with Session():
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0.01))  # offending: await


asyncio.run(main())
