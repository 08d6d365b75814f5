"""aiohttp's server and client: requests and a WebSocket of threads; misuse: a thread uses the session of another loop."""

import asyncio
import contextlib
import sys
import threading

from aiohttp import ClientSession, ClientWebSocketResponse, web

MISUSE = sys.argv[1:] == ["misuse"]


async def upper(request: web.Request) -> web.Response:
    return web.Response(text=await asyncio.to_thread((await request.text()).upper))


async def echo(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    async for message in websocket:
        await websocket.send_str(message.data)
    return websocket


async def ask(session: ClientSession, url: str, question: str) -> str:
    async with session.post(url, data=question) as response:
        return await response.text()


async def ask_with_own_session(url: str) -> None:
    async with ClientSession() as session:
        answers = await asyncio.gather(*(ask(session, url, f"own {number}") for number in range(10)))
    assert answers == [f"OWN {number}" for number in range(10)]


async def main() -> None:
    loop = asyncio.get_running_loop()
    app = web.Application()
    app.add_routes([web.post("/upper", upper), web.get("/echo", echo)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    url = f"http://{host}:{port}/upper"

    def worker(session: ClientSession, websocket: ClientWebSocketResponse) -> None:
        for number in range(10):
            asyncio.run_coroutine_threadsafe(websocket.send_str("to the loop"), loop).result()
            assert asyncio.run_coroutine_threadsafe(ask(session, url, f"shared {number}"), loop).result() == f"SHARED {number}"

    def worker_with_a_loop() -> None:
        asyncio.run(ask_with_own_session(url))

    async with ClientSession() as session, session.ws_connect(f"http://{host}:{port}/echo") as websocket:
        threads = [threading.Thread(target=worker, args=(session, websocket)) for _ in range(3)]
        threads += [threading.Thread(target=worker_with_a_loop) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(30):
            assert await websocket.receive_str() == "to the loop"
        for thread in threads:
            await asyncio.to_thread(thread.join)

        if MISUSE:

            async def elsewhere() -> None:
                with contextlib.suppress(RuntimeError):
                    await session.post(url, data="from a thread")  # misuse

            await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
    await runner.cleanup()


asyncio.run(main())
print("ok")
