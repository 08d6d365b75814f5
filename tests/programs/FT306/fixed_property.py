"""A thread has the tokens of a limiter set in its run."""

import trio


async def main() -> None:
    limiter = trio.CapacityLimiter(1)

    def worker() -> None:
        trio.from_thread.run_sync(setattr, limiter, "total_tokens", 2)

    async with limiter:
        await trio.to_thread.run_sync(worker)
    assert limiter.total_tokens == 2


trio.run(main)
