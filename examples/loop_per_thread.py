"""Right: each thread runs a loop of its own (from CPython's guide "asyncio and free-threaded Python")."""

import asyncio
import threading


async def worker(name: str) -> None:
    print(f"Worker {name} starting")
    await asyncio.sleep(0.1)
    print(f"Worker {name} done")


def run_loop(name: str) -> None:
    asyncio.run(worker(name))


threads = [threading.Thread(target=run_loop, args=(f"T{i}",)) for i in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
