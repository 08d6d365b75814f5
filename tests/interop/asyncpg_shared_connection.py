"""One asyncpg connection used by two loops in two threads: what ends in the write bus error."""

import asyncio
import contextlib
import os
import threading

import asyncpg


async def main() -> None:
    connection = await asyncpg.connect(os.environ["DSN"])  # created
    assert await connection.fetchval("SELECT 1") == 1

    async def elsewhere() -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(connection.fetchval("SELECT 2"), 5)  # offending

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    await asyncio.to_thread(thread.join)
    connection.terminate()


asyncio.run(main())
