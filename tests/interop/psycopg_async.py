"""psycopg: connections of threads and one used through its loop; misuse: a thread uses the connection of another loop."""

import asyncio
import contextlib
import os
import sys
import threading

import psycopg
from psycopg import AsyncConnection

DSN = os.environ["DSN"]
MISUSE = sys.argv[1:] == ["misuse"]


async def select(connection: AsyncConnection, number: int) -> None:
    cursor = await connection.execute("SELECT %s::int", [number])
    assert await cursor.fetchone() == (number,)


async def select_with_own_connection() -> None:
    async with await AsyncConnection.connect(DSN) as connection:
        await asyncio.gather(*(select(connection, number) for number in range(10)))


def select_without_loop() -> None:
    with psycopg.connect(DSN) as connection:
        for number in range(10):
            assert connection.execute("SELECT %s::int", [number]).fetchone() == (number,)


async def main() -> None:
    loop = asyncio.get_running_loop()
    async with (
        await AsyncConnection.connect(DSN, autocommit=True) as connection,
        await AsyncConnection.connect(DSN, autocommit=True) as another,
    ):

        def worker() -> None:
            futures = [asyncio.run_coroutine_threadsafe(select(connection, number), loop) for number in range(10)]
            for future in futures:
                future.result()

        def worker_with_a_loop() -> None:
            asyncio.run(select_with_own_connection())

        threads = [
            threading.Thread(target=target) for target in (worker, worker_with_a_loop, select_without_loop) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)

        if MISUSE:
            # Waits for the other connection, and meanwhile holds the lock of its own.
            await another.execute("SELECT pg_advisory_lock(1)")
            waiting = asyncio.create_task(connection.execute("SELECT pg_advisory_lock(1)"))
            await asyncio.sleep(0)

            async def elsewhere() -> None:
                with contextlib.suppress(RuntimeError):
                    await connection.execute("SELECT 1")  # misuse

            await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
            await another.execute("SELECT pg_advisory_unlock(1)")
            await waiting


asyncio.run(main())
print("ok")
