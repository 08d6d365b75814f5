"""An application for uvicorn, which is attached to while it serves; a request to /misuse lends its event to a thread.

That is wrong and harms nothing: a loop of uvloop that threads call dies of it now and then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def app(scope: dict[str, Any], _: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Answers ``ok``."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def worker() -> None:
        if scope["path"] == "/misuse":
            event.set()  # misuse
        loop.call_soon_threadsafe(event.set)

    await asyncio.to_thread(worker)
    await event.wait()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
