"""A client of redis that two loops use at once."""

import asyncio
import contextlib

import redis.asyncio

client = redis.asyncio.Redis(host="127.0.0.1", port=1)


async def elsewhere() -> None:
    with contextlib.suppress(Exception):
        await client.get("key")  # offending: execute_command


async def main() -> None:
    with contextlib.suppress(redis.exceptions.ConnectionError):
        await client.get("key")
    await asyncio.to_thread(lambda: asyncio.run(elsewhere()))


asyncio.run(main())
