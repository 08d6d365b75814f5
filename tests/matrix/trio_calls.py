"""Every kind of foreign call on what belongs to a run of trio.

The run's thread is inside one of its tasks while the calls are made.  Each line marked ``# offending: RULE OPERATION``
must be reported, and no other.
"""

import contextlib
import threading
from typing import Any

import trio

lock_made_before = trio.Lock()


def misuse(things: dict[str, Any]) -> None:
    """Runs in a thread of its own.  Most calls change something before trio notices that nothing is running here."""
    tried = lambda: contextlib.suppress(Exception)  # noqa: E731
    things["event"].set()  # offending: FT306 set
    with tried():
        things["scope"].cancel()  # offending: FT306 cancel
    with tried():
        things["scope"].deadline = 0  # offending: FT306 deadline
    with tried():
        things["nursery"].start_soon(trio.sleep, 0)  # offending: FT306 start_soon
    with tried():
        things["semaphore"].release()  # offending: FT306 release
    with tried():
        things["limiter"].acquire_nowait()  # offending: FT306 acquire_nowait
    with tried():
        things["lock"].release()  # offending: FT306 release
    with tried():
        things["condition"].notify()  # offending: FT306 notify
    with tried():
        things["send"].send_nowait(1)  # offending: FT306 send_nowait
    with tried():
        things["receive"].receive_nowait()  # offending: FT306 receive_nowait
    with tried():
        things["send"].close()  # offending: FT306 close


async def main() -> None:
    async with trio.open_nursery() as nursery, lock_made_before:
        things: dict[str, Any] = {"event": trio.Event(), "semaphore": trio.Semaphore(1), "limiter": trio.CapacityLimiter(1)}
        things |= {"nursery": nursery, "condition": trio.Condition(), "lock": lock_made_before}
        things["send"], things["receive"] = trio.open_memory_channel(10)
        with trio.CancelScope() as things["scope"]:
            thread = threading.Thread(target=misuse, args=(things,))
            thread.start()
            thread.join()


with contextlib.suppress(Exception, BaseExceptionGroup):
    trio.run(main)
print("ok")
