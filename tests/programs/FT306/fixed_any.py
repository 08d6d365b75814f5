"""A thread sets an event of trio in its run."""

import trio


async def main() -> None:
    done = trio.Event()

    def worker() -> None:
        trio.from_thread.run_sync(done.set)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, worker)
        await done.wait()


trio.run(main)
