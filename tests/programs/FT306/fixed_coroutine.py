"""A thread waits for an event of trio in its run."""

import trio


async def main() -> None:
    done = trio.Event()

    def worker() -> None:
        trio.from_thread.run(done.wait)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, worker)
        await trio.sleep(0.01)
        done.set()


trio.run(main)
