"""Debug mode raises for some calls; they are reported all the same, and so are those it lets pass."""

import asyncio
import contextlib
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()

    def worker() -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon(int)  # offending: call_soon
        loop.create_future()  # offending: create_future

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner


asyncio.run(main(), debug=True)  # created
