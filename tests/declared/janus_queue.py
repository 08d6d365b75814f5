"""The asynchronous face of a janus queue in a thread, beside the synchronous one, which is for threads."""

import asyncio
import contextlib

import janus


def worker(queue: janus.Queue[int]) -> None:
    queue.sync_q.put(1)
    with contextlib.suppress(RuntimeError):
        queue.async_q.put_nowait(2)  # offending: put_nowait


async def main() -> None:
    queue = janus.Queue[int]()
    queue.async_q.put_nowait(0)
    await asyncio.to_thread(worker, queue)
    assert [await queue.async_q.get() for _ in range(2)] == [0, 1]
    await queue.aclose()


asyncio.run(main())
