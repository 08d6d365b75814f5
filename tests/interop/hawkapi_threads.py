"""One HawkAPI application served by threads, each with a loop of its own, as servers with worker threads do.

Its OpenAPI cache, decoder cache and DI singletons are asked for by all at once, and then again: ``hawkapi_threads.py THREADS``.
Printed: answers by status (0: none), how often singletons were made, how many requests the application thinks it is working on.
"""

import asyncio
import logging
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from hawkapi import Container, HawkAPI
from hawkapi.middleware.timing import TimingMiddleware

THREADS = int(sys.argv[1])
KINDS = 8
ROUNDS = 5
TOGETHER = 4


made: list[object] = []


class Settings:
    """A singleton that is there at once."""

    def __init__(self) -> None:
        made.append(self)


class Pool(Settings):
    """A singleton that has to be waited for."""


async def make_pool() -> Pool:
    await asyncio.sleep(0.005)
    return Pool()


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    yield


container = Container()
container.singleton(Settings, factory=Settings)
container.singleton(Pool, factory=make_pool)
app = HawkAPI(container=container, lifespan=lifespan)
app.add_middleware(TimingMiddleware)


@app.get("/settings")
async def settings(settings: Settings) -> dict[str, str]:
    return {"type": type(settings).__name__}


@app.get("/pool")
async def pool(pool: Pool) -> dict[str, str]:
    return {"type": type(pool).__name__}


@app.get("/numbers/{number:int}")
def number(number: int) -> dict[str, int]:
    return {"number": number}


def add_route(kind: int) -> None:
    """A type of request bodies, and with it a decoder, for each."""
    body_type = msgspec.defstruct(f"Body{kind}", [("name", str)])

    async def create(body: Any) -> dict[str, str]:
        return {"name": body.name}

    create.__annotations__["body"] = body_type
    app.post(f"/kinds/{kind}")(create)


for kind in range(KINDS):
    add_route(kind)

PATHS = [("GET", path) for path in ("/pool", "/openapi.json", "/settings", "/numbers/1", "/healthz", "/nowhere")]
PATHS += [("POST", f"/kinds/{kind}") for kind in range(KINDS)]

statuses: list[int] = []
in_flight: list[int] = []


def settle() -> None:
    """Nothing is in flight any more: what the application still counts, it would wait 10 s for before it shuts down."""
    in_flight.append(app._in_flight)
    app._in_flight = 0


together = threading.Barrier(THREADS)
finished = threading.Barrier(THREADS, settle)


async def ask(method: str, path: str) -> None:
    """One request, as a server would pass it on."""
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "root_path": ""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"name": "ftsan"}', "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    try:
        async with asyncio.timeout(2):
            await app(scope, receive, send)
    except TimeoutError:  # of a lock that another thread's loop should have woken this one for
        statuses.append(0)


async def serve() -> None:
    """The life of a server: start-up, requests, shutdown."""
    messages = iter(["lifespan.startup", "lifespan.shutdown"])
    served = asyncio.Event()

    async def receive() -> dict[str, Any]:
        message = next(messages)
        if message == "lifespan.shutdown":
            await served.wait()
        return {"type": message}

    started = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        assert message["type"].endswith(".complete"), message
        started.set()

    life = asyncio.create_task(app({"type": "lifespan"}, receive, send))
    await started.wait()
    together.wait()
    for _ in range(ROUNDS):
        for method, path in PATHS:
            await asyncio.gather(*(ask(method, path) for _ in range(TOGETHER)))
    finished.wait()
    served.set()
    await life


logging.disable()
threads = [threading.Thread(target=lambda: asyncio.run(serve()), name=f"server {number}") for number in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{dict(sorted(Counter(statuses).items()))}, {len(made)} singletons, {in_flight[0]} in flight")
