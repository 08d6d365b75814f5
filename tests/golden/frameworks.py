"""An event of trio set by a thread, while a task waits for it: trio may or may not notice."""

import contextlib
import threading

import trio
from ftsan.testing import wait_until_blocked


async def main() -> None:
    done = trio.Event()

    def work() -> None:
        wait_until_blocked(threading.main_thread())
        with contextlib.suppress(RuntimeError):
            done.set()

    with trio.move_on_after(0.1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(done.wait)
            await trio.sleep(0)
            worker = threading.Thread(target=work, name="worker")
            worker.start()
            worker.join()


trio.run(main)
