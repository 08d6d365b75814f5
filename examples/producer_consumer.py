"""Right: a plain thread hands work to a loop through queue.Queue (from CPython's guide "asyncio and free-threaded Python")."""

import asyncio
import queue
import threading


def producer(q: queue.Queue[int]) -> None:
    for i in range(5):
        print(f"Producing {i}")
        q.put(i)
    q.shutdown()


async def consumer(q: queue.Queue[int]) -> None:
    while True:
        try:
            item = q.get_nowait()
        except queue.Empty:
            await asyncio.sleep(0.01)
            continue
        except queue.ShutDown:
            break
        print(f"Consumed {item}")
        await asyncio.sleep(item / 100)


q: queue.Queue[int] = queue.Queue()
consumer_thread = threading.Thread(target=lambda: asyncio.run(consumer(q)))
consumer_thread.start()
producer(q)
consumer_thread.join()
