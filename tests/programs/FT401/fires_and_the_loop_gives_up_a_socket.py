"""A thread that was told of a race gives a socket up, which another thread closes then: that is right."""

import asyncio
import socket
import threading


class Counter:
    count = 0


def count() -> None:
    Counter.count += 1  # race


async def main() -> None:
    loop = asyncio.get_running_loop()
    reading, writing = socket.socketpair()
    loop.add_reader(reading, int)
    await asyncio.sleep(0)
    has_counted = threading.Event()
    thread = threading.Thread(target=lambda: (count(), has_counted.wait()))
    thread.start()
    await asyncio.sleep(0)
    count()
    has_counted.set()
    thread.join()
    loop.remove_reader(reading)
    await asyncio.to_thread(reading.close)
    writing.close()


asyncio.run(main())
