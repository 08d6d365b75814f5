"""The only order between two threads is a call_soon_threadsafe: to the loop, and back from loop to loop."""

import asyncio
import threading
from collections.abc import Callable
from types import SimpleNamespace

import uvloop

shared = SimpleNamespace(n=0)


def ping(mine: asyncio.AbstractEventLoop, theirs: asyncio.AbstractEventLoop, left: int) -> None:
    shared.n += 1
    if left:
        theirs.call_soon_threadsafe(ping, theirs, mine, left - 1)
    else:
        mine.call_soon(mine.stop)
        theirs.call_soon_threadsafe(theirs.stop)


for new_loop in (asyncio.new_event_loop, uvloop.new_event_loop):
    make: Callable[[], asyncio.AbstractEventLoop] = new_loop
    first, second = make(), make()
    threads = [threading.Thread(target=loop.run_forever) for loop in (first, second)]
    for thread in threads:
        thread.start()
    first.call_soon_threadsafe(ping, first, second, 50)
    for thread in threads:
        thread.join()
    first.close()
    second.close()
assert shared.n == 102
