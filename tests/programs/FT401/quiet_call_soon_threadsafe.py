"""A callback runs after what was done before call_soon_threadsafe, in a loop that runs in another thread."""

import asyncio
import threading
from types import SimpleNamespace

import uvloop

shared = SimpleNamespace(n=0)


def bump() -> None:
    shared.n += 1


def worker(loop: asyncio.AbstractEventLoop) -> None:
    bump()
    loop.call_soon_threadsafe(bump)


async def main() -> None:
    await asyncio.sleep(0.01)


def from_worker(loop: asyncio.AbstractEventLoop) -> None:
    running = threading.Thread(target=loop.run_forever)
    running.start()
    thread = threading.Thread(target=worker, args=(loop,))
    thread.start()
    thread.join()
    loop.call_soon_threadsafe(loop.stop)
    running.join()
    bump()
    loop.close()


from_worker(asyncio.new_event_loop())
from_worker(uvloop.new_event_loop())
assert shared.n == 6
