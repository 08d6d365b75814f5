"""Uvicorn with the loop, HTTP parser and framework of the arguments, asked by threads; misuse: a handler lends its loop."""

import asyncio
import http.client
import inspect
import json
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn

MODE, LOOP, HTTP, FRAMEWORK = sys.argv[1:]


async def asynchronous() -> dict[str, str]:
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def worker() -> str:
        loop.call_soon_threadsafe(event.set)
        return asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001, "asynchronous"), loop).result()

    answer = await asyncio.to_thread(worker)
    await event.wait()
    return {"answer": answer}


def synchronous() -> dict[str, str]:
    assert threading.current_thread() is not threading.main_thread()
    return {"answer": asyncio.run(asyncio.sleep(0.001, "synchronous"))}


async def misuse() -> dict[str, str]:
    loop = asyncio.get_running_loop()

    def worker() -> None:
        loop.create_task(asyncio.sleep(0))  # misuse

    await asyncio.to_thread(worker)
    return {"answer": "misuse"}


HANDLERS: dict[str, Callable[[], Any]] = {"/asynchronous": asynchronous, "/synchronous": synchronous, "/misuse": misuse}


def starlette_application() -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def endpoint(handler: Callable[[], Any]) -> Callable[[Request], Any]:
        async def asynchronously(_: Request) -> JSONResponse:
            return JSONResponse(await handler())

        def synchronously(_: Request) -> JSONResponse:
            return JSONResponse(handler())

        return asynchronously if inspect.iscoroutinefunction(handler) else synchronously

    return Starlette(routes=[Route(path, endpoint(handler)) for path, handler in HANDLERS.items()])


def application() -> Any:
    if FRAMEWORK == "starlette":
        return starlette_application()
    if FRAMEWORK == "fastapi":
        from fastapi import FastAPI as Framework
    else:
        from hawkapi import HawkAPI as Framework
    app = Framework()
    for path, handler in HANDLERS.items():
        app.get(path)(handler)
    return app


# asyncio sends at once (TCP_NODELAY) only on sockets that say that they are TCP; those of socket.create_server do not.
listener = socket.socket(proto=socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen()
server = uvicorn.Server(uvicorn.Config(application(), loop=LOOP, http=HTTP, ws="none", log_level="warning"))


def ask(*names: str) -> None:
    """Ask for these on one connection."""
    connection = http.client.HTTPConnection(*listener.getsockname())
    for name in names:
        connection.request("GET", f"/{name}")
        assert json.load(connection.getresponse()) == {"answer": name}
    connection.close()


def ask_everything() -> None:
    try:
        with ThreadPoolExecutor(4) as pool:
            for asked in [pool.submit(ask, *["asynchronous", "synchronous"] * 5) for _ in range(8)]:
                asked.result()
        if MODE == "misuse":
            ask("misuse")
    finally:
        server.should_exit = True


with ThreadPoolExecutor(1) as driver:
    driven = driver.submit(ask_everything)
    server.run(sockets=[listener])
driven.result()
print("ok")
