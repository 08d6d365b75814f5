"""Threads of the program's own set and release what belongs to a run of anyio."""

import contextlib
import threading

import anyio
import anyio.to_thread


async def main() -> None:
    event, lock = anyio.Event(), anyio.Lock()

    def worker() -> None:
        event.set()  # offending: set
        with contextlib.suppress(RuntimeError):
            lock.release()  # offending: release

    async with lock:
        thread = threading.Thread(target=worker)
        thread.start()
        await anyio.to_thread.run_sync(thread.join)
        await event.wait()


anyio.run(main)
