"""A child that does not touch the lock, nor the loop, that threads of its parent had: worth knowing, and no more."""

import asyncio
import os
import threading
import warnings

lock = threading.Lock()
held, running, done = threading.Event(), threading.Event(), threading.Event()


def worker() -> None:
    with lock:
        held.set()
        done.wait()


async def serve() -> None:
    running.set()
    await asyncio.to_thread(done.wait)


def run() -> None:
    asyncio.run(serve())


warnings.simplefilter("ignore")
threads = [threading.Thread(target=target) for target in (worker, run)]
for thread in threads:
    thread.start()
held.wait()
running.wait()
pid = os.fork()  # offending: fork
if not pid:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
done.set()
for thread in threads:
    thread.join()
