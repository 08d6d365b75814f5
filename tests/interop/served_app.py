"""An application of WSGI and of ASGI: its counter loses updates, and it calls a loop that another thread runs."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Any

count = 0
lock = threading.Lock()
requests = itertools.count()
together = threading.Barrier(2)


def work(loop: asyncio.AbstractEventLoop) -> None:
    """What a request is answered with."""
    global count
    if next(requests) < 2:  # or one thread may answer all, if it is fast
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(timeout=10)
    count += 1  # lost
    loop.call_soon(int)  # misuse


@cache
def made_loop() -> asyncio.AbstractEventLoop:
    """The loop of a thread of its own."""
    loop = asyncio.new_event_loop()
    running = threading.Event()
    loop.call_soon(running.set)
    threading.Thread(target=loop.run_forever, name="the loop", daemon=True).start()
    running.wait()
    return loop


def wsgi(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """The application, called by threads of the server."""
    with lock:
        loop = made_loop()
    if environ["PATH_INFO"] != "/ready":
        work(loop)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\n"]


async def asgi(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """The application, which has threads work."""
    if scope["type"] == "lifespan":
        while (event := await receive())["type"] == "lifespan.startup":
            await send({"type": f"{event['type']}.complete"})
        await send({"type": f"{event['type']}.complete"})
        return
    if scope["path"] != "/ready":
        await asyncio.to_thread(work, asyncio.get_running_loop())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"ok\n"})
