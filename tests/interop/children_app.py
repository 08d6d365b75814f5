"""Children of multiprocessing, started as the argument says: their threads lose updates and call a loop of another thread."""

import asyncio
import multiprocessing
import sys
import threading

count = 0


def work(loop: asyncio.AbstractEventLoop, barrier: threading.Barrier) -> None:
    """Serve some requests."""
    global count
    barrier.wait()
    for _ in range(50):
        count += 1  # lost
        loop.call_soon(int)  # misuse


async def serve() -> None:
    """Have threads work."""
    barrier = threading.Barrier(2)
    loop = asyncio.get_running_loop()
    workers = [threading.Thread(target=work, args=(loop, barrier), name=f"worker-{number}") for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        await asyncio.to_thread(worker.join)


def child() -> None:
    """What a child does."""
    asyncio.run(serve())


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    children = [context.Process(target=child, name=f"child-{number}") for number in range(2)]
    for process in children:
        process.start()
    for process in children:
        process.join()
    print([process.exitcode for process in children])
