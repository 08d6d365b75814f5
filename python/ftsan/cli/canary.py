"""What ``ftsan doctor`` runs: every misuse once, harmlessly."""

import asyncio
import contextlib
import threading
from collections.abc import Callable


def _in_thread(misuse: Callable[[], object]) -> None:
    def run() -> None:
        with contextlib.suppress(RuntimeError):
            misuse()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    future = loop.create_future()

    async def foreign() -> None:
        await future

    task = asyncio.create_task(asyncio.sleep(60))
    timer = loop.call_later(60, print)
    event = asyncio.Event()
    await asyncio.sleep(0)
    _in_thread(lambda: loop.call_soon(lambda: None))
    _in_thread(lambda: future.add_done_callback(lambda _: None))
    _in_thread(task.cancel)
    _in_thread(lambda: asyncio.run(foreign()))
    _in_thread(server.close)
    _in_thread(event.set)
    _in_thread(timer.cancel)
    _in_thread(loop.close)
    future.cancel()


if __name__ == "__main__":
    asyncio.run(_main())
