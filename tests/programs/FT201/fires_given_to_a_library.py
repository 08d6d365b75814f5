"""Descriptors closed under a read by what a pool, a thread or a timer was given: the line is the one that gave it."""

import asyncio
import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

from ftsan.testing import wait_until_blocked


def read(end: int) -> None:
    with contextlib.suppress(OSError):
        os.read(end, 1)  # owner


def pipe() -> tuple[int, int, threading.Thread]:
    end, start = os.pipe()  # created
    thread = threading.Thread(target=read, args=(end,))
    thread.start()
    wait_until_blocked(thread)
    return end, start, thread


def wake(start: int, thread: threading.Thread) -> None:
    os.write(start, b"x")
    thread.join()
    os.close(start)


async def main() -> None:
    await asyncio.get_running_loop().run_in_executor(None, os.close, ends[2])  # offending: close
    await asyncio.to_thread(os.close, ends[3])  # offending: close


ends, starts, threads = zip(*[pipe() for _ in range(7)], strict=True)
closing = threading.Thread(target=os.close, args=(ends[0],))
closing.start()  # offending: close
closing.join()
timer = threading.Timer(0.01, os.close, [ends[1]])
timer.start()  # offending: close
timer.join()
asyncio.run(main())
with ThreadPoolExecutor(1) as executor:
    executor.submit(int).result()
    executor.submit(os.close, ends[4]).result()  # offending: close
with ThreadPool(1) as pool:
    pool.apply(os.close, (ends[5],))  # offending: close
    pool.map(os.close, [ends[6]])  # offending: close
for start, thread in zip(starts, threads, strict=True):
    wake(start, thread)
