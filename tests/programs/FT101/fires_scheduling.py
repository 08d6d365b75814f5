"""Every way to schedule something on a loop, from a thread that does not run it."""

import asyncio
import threading


async def nothing() -> None:
    pass


async def main() -> None:
    loop = asyncio.get_running_loop()

    def worker() -> None:
        loop.call_soon(int)  # offending: call_soon
        loop.call_later(60, int)  # offending: call_later
        loop.call_at(loop.time() + 60, int)  # offending: call_at
        loop.create_task(nothing())  # offending: create_task
        loop.create_future()  # offending: create_future
        loop.run_in_executor(None, int)  # offending: run_in_executor
        loop.set_debug(False)  # offending: set_debug
        loop.set_exception_handler(None)  # offending: set_exception_handler
        loop.set_task_factory(None)  # offending: set_task_factory
        loop.call_exception_handler({"message": "from worker"})  # offending: call_exception_handler

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    # The loop goes on until it is stopped, by the wrong thread.
    stopper = threading.Thread(target=lambda: loop.stop())  # offending: stop
    stopper.start()  # owner
    await asyncio.sleep(0.2)  # owner; nobody wakes the loop for a stop from the wrong thread
    await loop.create_future()  # owner


loop = asyncio.new_event_loop()  # created
loop.create_task(main())
loop.run_forever()
