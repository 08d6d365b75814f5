"""vectorch-ai/ScaleLLM#324: a callback of the engine, called by a native thread, feeds the stream that a request iterates over.

Proposed: loop.call_soon_threadsafe.
"""

import _thread
import asyncio
import sys
import threading


class OutputStream:
    """What a request iterates over."""

    def __init__(self) -> None:
        self.loop, self.queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def put(self, item: str | None) -> None:
        if sys.argv[1] == "bad":
            self.queue.put_nowait(item)  # offending: FT106
        else:
            self.loop.call_soon_threadsafe(self.queue.put_nowait, item)

    def __aiter__(self) -> OutputStream:
        return self

    async def __anext__(self) -> str:
        item = await asyncio.wait_for(self.queue.get(), 5)
        if item is None:
            raise StopAsyncIteration
        return item


async def main() -> None:
    stream, done = OutputStream(), threading.Event()

    def engine() -> None:
        for token in ("a", "b", None):
            stream.put(token)
        done.set()

    _thread.start_new_thread(engine, ())
    await asyncio.to_thread(done.wait)
    assert [token async for token in stream] == ["a", "b"]


asyncio.run(main())
