"""An event of trio is set by a thread, while a task waits for it."""

import contextlib
import threading

import trio


async def main() -> None:
    done = trio.Event()  # created

    def worker() -> None:
        with contextlib.suppress(Exception):
            done.set()  # offending: set

    with trio.move_on_after(0.1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(done.wait)
            await trio.sleep(0)
            thread = threading.Thread(target=worker)
            thread.start()  # owner
            thread.join()  # owner


trio.run(main)
