"""Threads that share nothing: each has a loop and connections of its own, and prepares statements.

asyncpg names all statements by one counter, without a lock: ``asyncpg_statement_names.py THREADS [SECONDS]`` goes on until a name
was given twice, at most so many seconds.
"""

import asyncio
import collections
import os
import sys
import threading
import time

import asyncpg

THREADS = int(sys.argv[1])
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 0
CONNECTIONS = 3
STATEMENTS = 100

start = threading.Barrier(THREADS)
duplicates: list[str] = []


async def prepare(connection: asyncpg.Connection) -> None:
    until = time.monotonic() + SECONDS
    number, kept = 0, collections.deque(maxlen=STATEMENTS)
    while number < STATEMENTS or (time.monotonic() < until and not duplicates):
        number += 1
        try:
            kept.append(await connection.prepare(f"SELECT {number}"))
        except asyncpg.DuplicatePreparedStatementError as error:
            duplicates.append(str(error).partition("\n")[0])


async def work() -> None:
    connections = [await asyncpg.connect(os.environ["DSN"]) for _ in range(CONNECTIONS)]
    start.wait()
    await asyncio.gather(*map(prepare, connections))
    for connection in connections:
        await connection.close()


threads = [threading.Thread(target=lambda: asyncio.run(work())) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(duplicates[0] if duplicates else "ok")
