"""Other threads hold locks while the loop waits, for it even."""

import asyncio
import threading

lock = threading.Lock()
held, done = threading.Event(), threading.Event()


def worker() -> None:
    with lock:
        held.set()
        done.wait()


async def main() -> None:
    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(held.wait)
    for _ in range(3):
        await asyncio.sleep(0.001)
    done.set()
    await asyncio.to_thread(thread.join)
    with lock:
        pass


asyncio.run(main())
