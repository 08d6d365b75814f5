"""Every primitive touched from a plain thread, with and without somebody waiting."""

import asyncio
import contextlib
import threading


async def main() -> None:
    event, waited_event = asyncio.Event(), asyncio.Event()  # created
    queue, waited_queue, full = asyncio.Queue(), asyncio.Queue(), asyncio.Queue()  # created
    lock, semaphore, condition = asyncio.Lock(), asyncio.Semaphore(), asyncio.Condition()  # created
    bounded = asyncio.BoundedSemaphore()  # created
    waiters = [asyncio.create_task(waited_event.wait()), asyncio.create_task(waited_queue.get())]
    full.put_nowait(1)
    await lock.acquire()
    await bounded.acquire()
    await condition.acquire()
    async with asyncio.timeout(60) as timeout, asyncio.TaskGroup() as group:  # created
        await asyncio.sleep(0)

        def worker() -> None:
            event.set()  # offending: set
            event.clear()  # offending: clear
            waited_event.set()  # offending: set
            queue.put_nowait(1)  # offending: put_nowait
            waited_queue.put_nowait(1)  # offending: put_nowait
            full.get_nowait()  # offending: get_nowait
            full.task_done()  # offending: task_done
            lock.release()  # offending: release
            semaphore.release()  # offending: release
            bounded.release()  # offending: release
            condition.notify()  # offending: notify
            timeout.reschedule(None)  # offending: reschedule
            with contextlib.suppress(RuntimeError):
                group.create_task(asyncio.sleep(0))  # offending: create_task

        thread = threading.Thread(target=worker)
        thread.start()  # owner
        await asyncio.to_thread(thread.join)  # owner
    for waiter in waiters:
        waiter.cancel()


asyncio.run(main())
