"""The lock is held by a context manager of the program, and by a stack of them."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

lock = threading.Lock()


@contextlib.contextmanager
def locked() -> Iterator[None]:
    with lock:
        yield


async def main() -> None:
    with locked():
        await asyncio.sleep(0)  # offending: await
    with contextlib.ExitStack() as held:
        held.enter_context(lock)
        await asyncio.wait_for(asyncio.sleep(0), 1)  # offending: await


asyncio.run(main())
