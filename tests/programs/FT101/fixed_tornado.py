"""A worker has a handler removed from tornado's loop in its thread."""

import asyncio
import socket

from tornado.ioloop import IOLoop


async def main() -> None:
    loop = IOLoop.current()
    reading, writing = socket.socketpair()
    loop.add_handler(reading, lambda *_: None, IOLoop.READ)
    is_removed = asyncio.Event()

    def worker() -> None:
        loop.add_callback(loop.remove_handler, reading)
        loop.add_callback(is_removed.set)

    await asyncio.to_thread(worker)
    await is_removed.wait()
    reading.close()
    writing.close()


asyncio.run(main())
