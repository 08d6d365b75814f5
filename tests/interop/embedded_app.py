"""What a host calls: a counter that loses updates, and a loop of another thread that is called without asking."""

import asyncio
import threading

count = 0
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, name="the loop", daemon=True).start()
running = threading.Event()
loop.call_soon_threadsafe(running.set)
running.wait()


def request() -> None:
    """Serve one request."""
    global count
    count += 1  # lost
    loop.call_soon(int)  # misuse
