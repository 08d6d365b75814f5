"""A worker has a signal handler set by the loop of the main thread."""

import asyncio
import signal


async def main() -> None:
    loop = asyncio.get_running_loop()
    has_come = asyncio.Event()

    def worker() -> None:
        loop.call_soon_threadsafe(loop.add_signal_handler, signal.SIGUSR1, has_come.set)
        loop.call_soon_threadsafe(signal.raise_signal, signal.SIGUSR1)

    await asyncio.to_thread(worker)
    await has_come.wait()
    loop.remove_signal_handler(signal.SIGUSR1)


asyncio.run(main())
