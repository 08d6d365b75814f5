"""A forgotten coroutine of the program cleans up a future in whichever thread that is noticed: that is the program's own doing."""

import asyncio
import gc
import warnings

warnings.simplefilter("ignore")


async def job(future: asyncio.Future[None]) -> None:
    try:
        await asyncio.sleep(99)
    finally:
        future.cancel()  # offending: cancel


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    gc.disable()
    future = loop.create_future()  # created
    coroutine = job(future)
    coroutine.send(None)
    cycle: list[object] = [coroutine]
    cycle.append(cycle)
    del coroutine, cycle
    await asyncio.to_thread(gc.collect)


asyncio.run(main())
