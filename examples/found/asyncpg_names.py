"""asyncpg 0.32: to prepare a statement fails if another thread prepares one on a connection of its own.

    pip install asyncpg==0.32
    ftsan run --races asyncpg asyncpg_names.py

All connections take the names of their statements from one counter of the module, ``_uid += 1``: an update that comes late sets it
back, and a connection gets a name for the second time.

NEEDS: PostgreSQL
WRONG: 18 of 20
AT: asyncpg/connection.py:Connection._get_unique_id
KNOWN: refused, the counter was held to be thread-safe: MagicStack/asyncpg#775
"""

import asyncio
import threading
from collections import Counter

import asyncpg

THREADS = 8
ROUNDS = 4000
outcomes: list[str] = []


async def prepare() -> None:
    connection = await asyncpg.connect()  # PGHOST, PGPORT, PGUSER
    kept = []
    for _ in range(ROUNDS):
        try:
            kept.append(await connection.prepare("SELECT 1"))
            outcomes.append("right")
        except asyncpg.DuplicatePreparedStatementError as error:
            outcomes.append(type(error).__name__)
    await connection.close()


threads = [threading.Thread(target=asyncio.run, args=(prepare(),)) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
