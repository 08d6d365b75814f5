"""A worker has a handler removed from tornado's loop, a timer made and a periodic callback stopped, all in the loop's thread."""

import asyncio
import socket

from tornado.ioloop import IOLoop, PeriodicCallback


async def main() -> None:
    loop = IOLoop.current()
    reading, writing = socket.socketpair()
    loop.add_handler(reading, lambda *_: None, IOLoop.READ)
    periodic = PeriodicCallback(lambda: None, 10)
    periodic.start()
    is_over = asyncio.Event()

    def worker() -> None:
        loop.add_callback(loop.remove_handler, reading)
        loop.add_callback(periodic.stop)
        loop.add_callback(loop.call_later, 0.01, is_over.set)

    await asyncio.to_thread(worker)
    await is_over.wait()
    assert not periodic.is_running()
    reading.close()
    writing.close()


asyncio.run(main())
