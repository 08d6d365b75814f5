"""The means of trio and anyio for threads, a run per thread, and primitives made before the run.

ALSO: FT503
"""

import threading

import anyio

# Imported by two threads at a time they can make 3.15.0rc2 hang (gh-156910): both stop the world to make types.
import anyio._backends._asyncio
import anyio._backends._trio
import anyio.from_thread
import anyio.to_thread
import trio

lock = trio.Lock()


async def trio_main() -> None:
    token = trio.lowlevel.current_trio_token()
    done, scope = trio.Event(), trio.CancelScope()
    send, receive = trio.open_memory_channel[int](0)

    def worker() -> None:
        trio.from_thread.run(send.send, 1, trio_token=token)
        trio.from_thread.run_sync(done.set, trio_token=token)
        token.run_sync_soon(scope.cancel)

    async with trio.open_nursery() as nursery, lock:
        thread = threading.Thread(target=worker)
        thread.start()
        assert await receive.receive() == 1
        await done.wait()
        with scope:
            await trio.sleep(10)
        assert scope.cancelled_caught
        nursery.start_soon(trio.to_thread.run_sync, lambda: trio.from_thread.run(trio.sleep, 0))
    thread.join()
    with trio.move_on_after(0.001):
        await trio.sleep(10)


async def anyio_main() -> None:
    send, receive = anyio.create_memory_object_stream[int](10)
    event, limiter = anyio.Event(), anyio.CapacityLimiter(2)

    def worker(number: int) -> None:
        anyio.from_thread.run(send.send, number)
        anyio.from_thread.run_sync(event.set)

    async with anyio.create_task_group() as group, send, receive:
        for number in range(5):
            group.start_soon(lambda number=number: anyio.to_thread.run_sync(worker, number, limiter=limiter))
        assert sorted([await receive.receive() for _ in range(5)]) == list(range(5))
        await event.wait()
        with anyio.move_on_after(0.001):
            await anyio.sleep(10)


def with_portal() -> None:
    with anyio.from_thread.start_blocking_portal() as portal:
        assert portal.call(anyio.sleep, 0) is None
        assert portal.start_task_soon(anyio.sleep, 0).result() is None


trio.run(trio_main)
runs = [
    lambda: trio.run(trio.sleep, 0.01),
    lambda: anyio.run(anyio_main),
    lambda: anyio.run(anyio_main, backend="trio"),
    with_portal,
]
threads = [threading.Thread(target=run) for run in runs]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
anyio.run(anyio_main)
