"""A loop that nobody runs has no owner: prepared in one thread, run in another, taken down in the first."""

import asyncio
import threading

loop = asyncio.new_event_loop()
seen: list[str] = []
loop.call_soon(seen.append, "soon")
loop.call_later(0.01, seen.append, "later")
future = loop.create_future()
event = asyncio.Event()


async def job() -> None:
    event.set()
    future.set_result(None)


task = loop.create_task(job())
loop.call_later(0.05, loop.stop)
thread = threading.Thread(target=loop.run_forever)
thread.start()
thread.join()
assert seen == ["soon", "later"] and task.done() and future.done()
left = loop.create_task(asyncio.sleep(60))
left.cancel()
loop.run_until_complete(asyncio.gather(left, return_exceptions=True))
loop.run_until_complete(loop.shutdown_asyncgens())
loop.close()
