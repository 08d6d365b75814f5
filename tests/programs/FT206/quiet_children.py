"""Children of multiprocessing that two threads join, of asyncio, and of a fork that has children of its own."""

import asyncio
import contextlib
import multiprocessing
import os
import threading
import time


def main() -> None:
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0.01,))
    process.start()
    threads = [threading.Thread(target=process.join) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(run())
    child = os.posix_spawn("/bin/true", ["true"], {})
    waiter = threading.Thread(target=os.waitpid, args=(child, 0))
    waiter.start()
    waiter.join()
    fork = os.fork()
    if fork == 0:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
        os._exit(0)
    assert os.waitpid(fork, 0)[1] == 0


async def run() -> None:
    processes = [await asyncio.create_subprocess_exec("true") for _ in range(3)]
    assert await asyncio.gather(*(process.wait() for process in processes)) == [0, 0, 0]


if __name__ == "__main__":
    main()
