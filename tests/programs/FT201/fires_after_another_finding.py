"""A descriptor closed under a thread that reads from it, by a thread that has been told of another mistake before.

ALSO: FT101
"""

import asyncio
import os
import threading

from ftsan.testing import wait_until_blocked


def read(end: int) -> None:
    os.read(end, 1)


reading, writing = os.pipe()
reader = threading.Thread(target=read, args=(reading,), daemon=True)
reader.start()
wait_until_blocked(reader)
loop = asyncio.new_event_loop()
running = threading.Event()
loop.call_soon(running.set)
runner = threading.Thread(target=loop.run_forever)
runner.start()
running.wait()
loop.call_soon(loop.stop)  # offending: call_soon
os.close(reading)  # offending: close
loop.call_soon_threadsafe(loop.stop)
runner.join()
os.write(writing, b"x")
