"""A session of aiohttp that is used by another loop in another thread."""

import asyncio
import contextlib

import aiohttp


async def elsewhere(session: aiohttp.ClientSession) -> None:
    with contextlib.suppress(Exception):
        async with session.get("http://127.0.0.1:1/"):  # offending: _request
            pass


async def main() -> None:
    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(aiohttp.ClientError):
            await session.get("http://127.0.0.1:1/")
        await asyncio.to_thread(lambda: asyncio.run(elsewhere(session)))
        # Handed over: only the first step of the request is the loop's business.
        await asyncio.to_thread(
            lambda: asyncio.run_coroutine_threadsafe(session._request("GET", "http://127.0.0.1:1/"), loop).exception()
        )


with asyncio.Runner() as runner:
    loop = runner.get_loop()
    runner.run(main())
