"""The last reference to a failed future dies in a foreign thread: its finalizer tells the loop, which is nobody's fault."""

import asyncio
import gc
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    box = [loop.create_future(), asyncio.futures._PyFuture(loop=loop)]
    for future in box:
        future.set_exception(ValueError())
    del future

    def worker() -> None:
        box.clear()
        gc.collect()

    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(thread.join)


asyncio.run(main())
