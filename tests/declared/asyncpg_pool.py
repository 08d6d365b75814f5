"""A pool of asyncpg that another loop asks."""

import asyncio
import contextlib

import asyncpg


async def elsewhere(pool: asyncpg.Pool) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):
        await pool.fetch("SELECT 1")  # offending: fetch
    with contextlib.suppress(asyncpg.InterfaceError):
        async with pool.acquire():  # offending: _acquire
            pass


async def main() -> None:
    pool = asyncpg.create_pool("postgresql://127.0.0.1:1/nowhere", min_size=0)
    await asyncio.to_thread(lambda: asyncio.run(elsewhere(pool)))


asyncio.run(main())
