"""Objects that no loop was bound to yet, that are bound anew to each loop, or are only closed or looked at after their loop."""

import asyncio
import contextlib
import gc
import warnings

warnings.simplefilter("ignore")
unbound = asyncio.Lock()
queue = asyncio.Queue[int]()


class Client:
    """Looks which loop it is in."""

    loop: asyncio.AbstractEventLoop | None = None

    async def get(self) -> None:
        if self.loop is not asyncio.get_running_loop():
            with contextlib.suppress(AttributeError, RuntimeError):
                self.old.cancel()
                self.writer.close()
            self.loop, self.lock = asyncio.get_running_loop(), asyncio.Lock()
            self.old = self.loop.create_future()
            self.done = self.loop.create_future()
            self.done.set_result(1)
            server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
            _, self.writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            server.close()
        async with self.lock:
            await asyncio.sleep(0)


clients = [Client()]


async def main(first: asyncio.Future[int] | None) -> asyncio.Future[int]:
    async with unbound:
        queue.put_nowait(1)
        assert await queue.get() == 1
    await clients[0].get()
    if first:
        assert await first == 1
    return clients[0].done


done = asyncio.run(main(None))
asyncio.run(main(done))
clients.clear()
gc.collect()
